package filejournal

// Crash ends the directory as the death of the process would: nothing is
// sealed, forced or removed.
func (d *Directory) Crash() {
	d.mu.Lock()
	d.closed = true
	d.mu.Unlock()
	for _, j := range d.opened() {
		j.crash()
	}
	_ = unlockDir(d.lock)
}
