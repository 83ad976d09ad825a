package postgres_test

import "syscall"

// The three ways in which a server stops.
const (
	stopFast      = syscall.SIGINT
	stopImmediate = syscall.SIGQUIT
)
