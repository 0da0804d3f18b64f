// Package lifecycle starts and stops the components of an Fx application so
// that no hook is skipped and no accepted work is forgotten.
package lifecycle
