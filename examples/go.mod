module github.com/mqttcore/mqttcore/examples

go 1.26

require github.com/mqttcore/mqttcore v0.0.0

require github.com/spf13/pflag v1.0.10

require (
	github.com/coder/websocket v1.8.15
	github.com/gobwas/ws v1.5.0
)

require github.com/gobwas/httphead v0.1.0 // indirect

replace github.com/mqttcore/mqttcore => ../
