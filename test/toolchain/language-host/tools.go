//go:build tools

// Package tools pins the Node language host of the CLI in ../pulumi: the last release that the sdk module held, since
// newer ones are a module of their own, which module proxies do not all serve.
package tools

import _ "github.com/pulumi/pulumi/sdk/v3/nodejs/cmd/pulumi-language-nodejs"
