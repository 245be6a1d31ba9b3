// Package explore looks at every state that a protocol written as a table of rules can reach.
package explore
