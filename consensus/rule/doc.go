// Package rule is protocols as tables of guarded atomic rules.
package rule
