package main

import (
	"time"

	"github.com/schollz/progressbar/v3"
)

// progress shows a bar on a terminal, of something that is counted in bytes or
// in pieces. Where nobody watches, it does nothing. finish takes it away.
func (p *program) progress(what string, bytes bool) (show func(done, total int64), finish func()) {
	if !p.watches {
		return func(int64, int64) {}, func() {}
	}
	var bar *progressbar.ProgressBar
	show = func(done, total int64) {
		if bar == nil {
			bar = progressbar.NewOptions64(max(1, total),
				progressbar.OptionSetWriter(p.err),
				progressbar.OptionSetDescription(what),
				progressbar.OptionShowBytes(bytes),
				progressbar.OptionUseIECUnits(true),
				progressbar.OptionShowCount(),
				progressbar.OptionThrottle(100*time.Millisecond),
				progressbar.OptionClearOnFinish(),
			)
		}
		_ = bar.Set64(min(done, max(1, total))) // it is only a picture
	}
	return show, func() {
		if bar != nil {
			_ = bar.Finish() // as above
		}
	}
}
