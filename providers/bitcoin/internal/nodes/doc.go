// Package nodes is where package bitcoin meets real nodes. It is tests only.
package nodes
