// pulumi-resource-kubernetes: the provider of pulumi-kubernetes, for npm @pulumi/kubernetes 4.25.0.
package main

import (
	_ "embed"

	"github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/provider"
	"github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/version"
)

//go:embed generated/schema.json
var schema []byte

//go:embed generated/terraform-mapping.json
var tfMapping []byte

func main() { provider.Serve("kubernetes", version.Version, schema, tfMapping) }
