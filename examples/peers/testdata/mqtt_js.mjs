// Lets a test drive clients of MQTT.js 5 by JSON lines, as paho_python.py does with
// Paho, whose comment tells the language.

import fs from 'node:fs'
import readline from 'node:readline'
import mqtt from 'mqtt'

const say = (line) => process.stdout.write(JSON.stringify(line) + '\n')

// Names in MQTT.js that are not just the standard's with a small first letter.
const theirs = {
  UserProperty: 'userProperties',
  SubscriptionIdentifierAvailable: 'subscriptionIdentifiersAvailable',
}
const ours = Object.fromEntries(Object.entries(theirs).map(([a, b]) => [b, a]))
const booleans = ['PayloadFormatIndicator', 'RequestResponseInformation', 'RequestProblemInformation']

function propertiesOf(values) {
  if (!values) return undefined
  const p = {}
  for (let [name, value] of Object.entries(values)) {
    if (name === 'UserProperty') {
      const all = {}
      for (const [k, v] of value) (all[k] ??= []).push(v)
      value = all
    } else if (name === 'CorrelationData') {
      value = Buffer.from(value)
    } else if (booleans.includes(name)) {
      value = value === 1
    }
    p[theirs[name] ?? name[0].toLowerCase() + name.slice(1)] = value
  }
  return p
}

function valuesOf(p) {
  const values = {}
  for (let [name, value] of Object.entries(p ?? {})) {
    name = ours[name] ?? name[0].toUpperCase() + name.slice(1)
    if (name === 'UserProperty') {
      value = Object.entries(value).flatMap(([k, v]) => [v].flat().map((one) => [k, one]))
    } else if (name === 'SubscriptionIdentifier') {
      value = [value].flat()
    } else if (Buffer.isBuffer(value)) {
      value = value.toString()
    } else if (typeof value === 'boolean') {
      value = Number(value)
    }
    values[name] = value
  }
  return values
}

class Peer {
  constructor(name, o) {
    this.name = name
    this.options = o
    this.v5 = o.version === 5
    this.connecting = o.id // the command that waits for CONNACK
    this.open = true // the transport, from here until close
    this.received = 0
    const read = (file) => file && fs.readFileSync(file)
    const web = o.transport === 'ws' || o.transport === 'wss'
    const will = o.will && {
      topic: o.will.topic,
      payload: Buffer.from(o.will.payload ?? '', 'base64'),
      qos: o.will.qos ?? 0,
      retain: o.will.retain ?? false,
      ...(this.v5 && { properties: propertiesOf(o.will.properties) }),
    }
    this.c = mqtt.connect({
      protocol: { tcp: 'mqtt', tls: 'mqtts', ws: 'ws', wss: 'wss' }[o.transport],
      host: o.host,
      port: o.port,
      ...(web && { path: '/mqtt' }),
      ca: read(o.ca),
      cert: read(o.cert),
      key: read(o.key),
      protocolVersion: o.version,
      clientId: o.clientID ?? '',
      clean: o.clean ?? false,
      keepalive: o.keepAlive ?? 60,
      username: o.user,
      password: o.password,
      will,
      ...(this.v5 && { properties: propertiesOf(o.properties) }),
      autoAssignTopicAlias: o.assignAliases ?? false,
      incomingStore: new mqtt.Store({ clean: false }),
      outgoingStore: new mqtt.Store({ clean: false }),
      reconnectPeriod: 0,
      resubscribe: false,
    })
    this.c.on('connect', (p) => this.connected({ reason: p.reasonCode ?? p.returnCode, present: p.sessionPresent, properties: valuesOf(p.properties) }))
    this.c.on('error', (e) => typeof e.code === 'number' ? this.connected({ reason: e.code }) : this.trouble = e)
    this.c.on('message', (topic, payload, p) => this.message(topic, payload, p))
    this.c.on('disconnect', (p) => { this.goodbye = p })
    this.c.on('close', () => {
      this.open = false
      this.connected({ error: String(this.trouble ?? 'closed before CONNACK') })
      say({ client: name, event: 'closed', reason: this.goodbye?.reasonCode ?? null, properties: valuesOf(this.goodbye?.properties) })
      this.goodbye = undefined
    })
  }

  connected(result) {
    if (this.connecting === undefined) return
    say({ id: this.connecting, ...result })
    this.connecting = undefined
  }

  message(topic, payload, p) {
    if (++this.received === this.options.dropAfter) this.cut()
    const properties = valuesOf(p.properties)
    const aliased = 'TopicAlias' in properties
    delete properties.TopicAlias
    say({ client: this.name, event: 'message', topic, payload: payload.toString('base64'), qos: p.qos, retain: p.retain, dup: p.dup, aliased, properties })
  }

  // cut breaks the connection under MQTT.js, without any packet.
  cut() {
    this.c.stream.destroy()
  }

  reconnect(o) {
    if (this.open) return this.c.once('close', () => this.reconnect(o))
    this.open = true
    this.connecting = o.id
    delete this.options.dropAfter
    this.c.options.clean = false
    this.c.reconnect({ incomingStore: this.c.incomingStore, outgoingStore: this.c.outgoingStore })
  }

  publish(o) {
    const options = { qos: o.qos ?? 0, retain: o.retain ?? false, ...(this.v5 && { properties: propertiesOf(o.properties) }) }
    this.c.publish(o.topic ?? '', Buffer.from(o.payload ?? '', 'base64'), options, (e, p) => {
      const reason = e ? e.code : (p?.reasonCode ?? null) // null: MQTT.js does not say
      say(e && typeof reason !== 'number' ? { id: o.id, error: String(e) } : { id: o.id, reason })
    })
  }

  subscribe(o) {
    const filters = {}
    for (const f of o.filters) filters[f.filter] = { qos: f.qos ?? 0, nl: f.noLocal ?? false, rap: f.retainAsPublished ?? false, rh: f.retainHandling ?? 0 }
    const done = (e, granted, p) => {
      const suback = p ?? e?.packet
      say(suback ? { id: o.id, reasons: suback.granted ?? suback.reasonCodes, properties: valuesOf(suback.properties) } : { id: o.id, error: String(e) })
    }
    this.c.subscribe(filters, this.v5 ? { properties: propertiesOf(o.properties) } : {}, done)
  }

  unsubscribe(o) {
    this.c.unsubscribe(o.filters.map((f) => f.filter), (e, p) => say(e && !p ? { id: o.id, error: String(e) } : { id: o.id, reasons: p?.granted ?? p?.reasonCodes }))
  }

  disconnect(o) {
    this.c.end(false, this.v5 ? { reasonCode: o.reason ?? 0, properties: propertiesOf(o.properties) } : {}, () => say({ id: o.id }))
  }

  kill(o) {
    this.cut()
    say({ id: o.id })
  }
}

const peers = {}
readline.createInterface({ input: process.stdin }).on('line', (line) => {
  const o = JSON.parse(line)
  try {
    if (o.do === 'connect') peers[o.client] = new Peer(o.client, o)
    else peers[o.client][o.do](o)
  } catch (e) {
    say({ id: o.id, error: String(e) })
  }
}).on('close', () => process.exit())
