// Package journaltest says whether a store keeps the promises of package
// journal, and has a store in memory for the tests of whoever uses one.
//
//	func TestConformance(t *testing.T) {
//		journaltest.Run(t, journaltest.Store{
//			Open: func(t *testing.T, place string) (journal.Opener, func()) { … },
//		})
//	}
package journaltest
