//go:build tools

// Package tools pins the Pulumi CLI, which scripts/setup builds where it can be neither found nor downloaded.
package tools

import _ "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
