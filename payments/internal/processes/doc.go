// Package processes tries package payments as hosts run it: a process that takes requests, workers that are processes of their own,
// and a far side that is another one, over SQLite and over PostgreSQL. All of them are killed with SIGKILL at random moments, and
// the connections to PostgreSQL are delayed and cut.
//
// At the end every request that was acknowledged must give the same payment again, everything that was begun must have happened
// once, and the book must agree with the far side's own records.
package processes
