// Package pool runs tasks on a bounded number of workers that can be resized,
// drained, counted and stopped without losing what was accepted.
package pool
