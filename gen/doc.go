// Package gen turns the description of MQTT in spec/ into the Go code of
// package codec. The way is [Load], which reads the YAML files strictly and
// checks them, and [Model.Files], which writes the code; both are pure.
package gen
