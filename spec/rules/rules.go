// Package rules holds the statements of the standards, for programs that quote
// them.
package rules

import "embed"

// Files has v311.yaml and v5.yaml, whose heads describe them.
//
//go:embed v311.yaml v5.yaml
var Files embed.FS
