module github.com/mqttcore/mqttcore/examples

go 1.26.0

require github.com/mqttcore/mqttcore v0.0.0

require github.com/spf13/pflag v1.0.10

require (
	github.com/coder/websocket v1.8.15
	github.com/gobwas/ws v1.5.0
	github.com/prometheus/client_golang v1.25.0
)

require github.com/HdrHistogram/hdrhistogram-go v1.4.0

require golang.org/x/term v0.48.0

require (
	github.com/beorn7/perks v1.0.1 // indirect
	github.com/cespare/xxhash/v2 v2.3.0 // indirect
	github.com/gobwas/httphead v0.1.0 // indirect
	github.com/munnerz/goautoneg v0.0.0-20191010083416-a7dc8b61c822 // indirect
	github.com/prometheus/client_model v0.6.3 // indirect
	github.com/prometheus/common v0.72.0 // indirect
	github.com/prometheus/procfs v0.22.0 // indirect
	golang.org/x/sys v0.50.0
	google.golang.org/protobuf v1.36.12 // indirect
)

replace github.com/mqttcore/mqttcore => ../
