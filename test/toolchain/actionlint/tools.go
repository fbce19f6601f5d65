//go:build tools

// Package tools pins the linter of the workflows under .github.
package tools

import _ "github.com/rhysd/actionlint/cmd/actionlint"
