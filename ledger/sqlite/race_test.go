//go:build race

package sqlite_test

// The race detector makes the engine, which is Go too, some twenty times slower.
const raceDetector = true
