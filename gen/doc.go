// Package gen turns the description of MQTT in spec/ into the Go code of
// package codec. The way of the data is
//
//   - [Load]: decode.go and load.go read the YAML files strictly and keep the
//     place of every key; resolve*.go check them and build the [Model], which
//     knows nothing of Go code but names;
//   - [Model.Files]: emit*.go write the code, one file for each construct, and
//     reference.go the page spec/REFERENCE.md.
//
// All of it is pure: files in, files out. spec/README.md explains the language
// of the YAML files, whose types stand in schema.go.
package gen
