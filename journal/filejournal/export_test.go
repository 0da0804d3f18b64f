package filejournal

// Crash ends the directory as the death of the process would: nothing is
// sealed, forced or removed.
func (d *Directory) Crash() {
	d.mu.Lock()
	d.closed = true
	d.mu.Unlock()
	for _, j := range d.opened() {
		j.shut.Do(func() {
			j.halt()
			j.mu.Lock()
			defer j.mu.Unlock()
			_ = j.letGo()
		})
	}
	_ = d.lock.Close()
}
