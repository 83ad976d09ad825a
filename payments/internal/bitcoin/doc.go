// Package bitcoin is where payments meets the Bitcoin adapter: it is tests only.
package bitcoin
