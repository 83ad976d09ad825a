//go:build race

package processes

// The race detector makes SQLite, which is Go too, some twenty times slower, and the children have it as well.
const raceDetector = true
