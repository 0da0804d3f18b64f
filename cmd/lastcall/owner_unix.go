//go:build unix

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"strconv"
	"syscall"
)

// ownedBy is an error unless path is the user's own: files that another makes
// there, root above all, the service could not read at its next start.
func ownedBy(path string, uid int) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !ok || int(owner.Uid) == uid {
		return nil
	}
	name := "with the user id " + strconv.Itoa(int(owner.Uid))
	if u, err := user.LookupId(strconv.Itoa(int(owner.Uid))); err == nil {
		name = u.Username
	}
	return fmt.Errorf("%s belongs to another user, and the service must be able to read what is made there; run it as user %s", path, name)
}
