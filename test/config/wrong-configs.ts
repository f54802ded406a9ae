/** Wrong configurations, each with every message that it must give. `bgp.yml` is the file; BGP_API_KEY is set unless said. */
import type { FlagValues } from '../../src/config/flags.ts';

export interface WrongConfig {
  readonly name: string;
  readonly yaml?: string;
  readonly flags?: FlagValues;
  readonly env?: Readonly<Record<string, string>>;
  /** Other files, by path. */
  readonly files?: Readonly<Record<string, string>>;
  readonly problems: readonly string[];
}

const PREFIX = 'expected a prefix such as 192.0.2.0/24 or 2001:db8::/32';
const AS = 'expected an AS number from 1 to 4294967295, or an AS_SET such as "{64501,64502}"';
const KEY = 'expected an API key: 1 to 1024 visible ASCII characters without blanks';
const OK = 'prefixes: [{prefix: 192.0.2.0/24}]\n';

function prefix(text: string, problem: string): WrongConfig {
  return {
    name: `prefix ${text}`,
    yaml: `prefixes:\n  - prefix: ${text}\n`,
    problems: [`bgp.yml:2:13: prefixes[0].prefix: ${problem}`],
  };
}

function value(key: string, text: string, problem: string): WrongConfig {
  const [section, name] = key.split('.');
  const column = name.length + 5;
  return {
    name: `${key}: ${text}`,
    yaml: `${OK}${section}:\n  ${name}: ${text}\n`,
    problems: [`bgp.yml:3:${column}: ${key}: ${problem}`],
  };
}

function origin(text: string, got: string): WrongConfig {
  const yaml = `prefixes:\n  - prefix: 192.0.2.0/24\n    origins: [${text}]\n`;
  return { name: `origin ${text}`, yaml, problems: [`bgp.yml:3:15: prefixes[0].origins[0]: ${AS}, got ${got}`] };
}

const LISTEN =
  'expected a listen address such as ":10479", "127.0.0.1:9000", "[::1]:9000" or "unix:/run/bgp.sock", or "" for no web server';
const WS = 'expected a URL that starts with ws:// or wss://, such as wss://websocket.bgproutes.io';
const PROXY = 'expected the URL of an HTTP proxy such as http://proxy.example.net:3128, or ""';
const WEB_PATH = 'expected a path such as /metrics, not / and not /runbook, /-/healthy, /-/ready, /-/reload';
const NO_QUERY = 'expected a URL without ? and # (the exporter adds the key itself)';

export const WRONG_CONFIGS: readonly WrongConfig[] = [
  // --- prefixes
  prefix('192.23.62.1/24', '192.23.62.1/24: host bits are set, did you mean 192.23.62.0/24?'),
  prefix('2A06:3040:10::1/48', '2A06:3040:10::1/48: host bits are set, did you mean 2a06:3040:10::/48?'),
  prefix('192.0.2.0/33', `${PREFIX}, got "192.0.2.0/33" (the length of an IPv4 prefix is 0 to 32)`),
  prefix('2001:db8::/129', `${PREFIX}, got "2001:db8::/129" (the length of an IPv6 prefix is 0 to 128)`),
  prefix('192.0.2.0', `${PREFIX}, got "192.0.2.0" (the length is missing, as /24)`),
  prefix('192.0.2.0/-1', `${PREFIX}, got "192.0.2.0/-1"`),
  prefix('192.0.2.0/024', `${PREFIX}, got "192.0.2.0/024"`),
  prefix(
    '192.0.2.0/255.255.255.0',
    `${PREFIX}, got "192.0.2.0/255.255.255.0" (a length is expected, not a netmask, did you mean 192.0.2.0/24?)`,
  ),
  prefix(
    '192.023.62.0/24',
    `${PREFIX}, got "192.023.62.0/24" (a leading zero makes a part octal to some programs, did you mean 192.23.62.0/24?)`,
  ),
  prefix('10/8', `${PREFIX}, got "10/8" (an IPv4 address has four parts, did you mean 10.0.0.0/8?)`),
  prefix('172.16/12', `${PREFIX}, got "172.16/12" (an IPv4 address has four parts, did you mean 172.16.0.0/12?)`),
  prefix(
    '10.1.2.3/255.0.0.0',
    `${PREFIX}, got "10.1.2.3/255.0.0.0" (a length is expected, not a netmask, did you mean 10.0.0.0/8?)`,
  ),
  prefix('10.0.0.0/0.255.255.255', `${PREFIX}, got "10.0.0.0/0.255.255.255"`),
  prefix('256.0.0.0/8', `${PREFIX}, got "256.0.0.0/8" (a part of an IPv4 address is at most 255)`),
  prefix('fe80::1%eth0/64', `${PREFIX}, got "fe80::1%eth0/64"`),
  prefix('2001:db8:::/32', `${PREFIX}, got "2001:db8:::/32"`),
  prefix('hello', `${PREFIX}, got "hello"`),
  prefix('24', `${PREFIX}, got 24`),
  prefix('', `${PREFIX}, got nothing`),
  prefix('[192.0.2.0/24]', `${PREFIX}, got a list`),
  {
    name: 'a prefix twice, spelt differently',
    yaml: 'prefixes:\n  - prefix: 2001:db8::/32\n  - prefix: 192.0.2.0/24\n  - prefix: 2001:0DB8:0:0::/32\n',
    problems: [
      'bgp.yml:4:13: prefixes[2].prefix: 2001:0DB8:0:0::/32 is the same prefix as that of bgp.yml:2:13: prefixes[0].prefix',
    ],
  },
  {
    name: 'a prefix in the file and as a flag',
    yaml: OK,
    flags: { prefix: ['198.51.100.0/24', '192.0.2.0/24'] },
    problems: ['--prefix: 192.0.2.0/24 is the same prefix as that of bgp.yml:1:21: prefixes[0].prefix'],
  },
  {
    name: 'no prefix at all',
    yaml: '',
    problems: ['bgp.yml: prefixes: expected at least one prefix, here or by --prefix, got none'],
  },
  {
    name: 'an empty list of prefixes',
    yaml: 'prefixes: []\n',
    problems: ['bgp.yml:1:11: prefixes: expected at least one prefix, here or by --prefix, got none'],
  },
  {
    name: 'a prefix that is no map',
    yaml: 'prefixes:\n  - 192.0.2.0/24\n',
    problems: [
      'bgp.yml:2:5: prefixes[0]: expected a map such as {prefix: 192.0.2.0/24}, got a text (did you mean {prefix: 192.0.2.0/24}?)',
    ],
  },
  {
    name: 'prefixes that are no list',
    yaml: 'prefixes: 192.0.2.0/24\n',
    problems: [
      'bgp.yml:1:11: prefixes: expected a list of maps such as {prefix: 192.0.2.0/24}, got a text (did you mean [{prefix: 192.0.2.0/24}]?)',
    ],
  },
  {
    name: 'an entry without a prefix',
    yaml: 'prefixes:\n  - group: core\n',
    problems: [`bgp.yml:2:5: prefixes[0].prefix: ${PREFIX}, got nothing`],
  },
  {
    name: 'more prefixes than the bound',
    yaml: `prefixes:\n${Array.from({ length: 10_001 }, (_, i) => `  - prefix: 10.${i >> 8}.${i & 255}.0/24\n`).join('')}`,
    problems: ['bgp.yml:2:3: prefixes: expected at most 10000 prefixes, got 10001'],
  },
  {
    name: 'description that is a number',
    yaml: 'prefixes: [{prefix: 192.0.2.0/24, description: 5}]\n',
    problems: [
      'bgp.yml:1:48: prefixes[0].description: expected a text of at most 200 characters, got 5 (put it in quotes)',
    ],
  },
  {
    name: 'group with a line break',
    yaml: 'prefixes: [{prefix: 192.0.2.0/24, group: "a\\nb"}]\n',
    problems: ['bgp.yml:1:42: prefixes[0].group: expected a text of at most 200 characters, got "a\\nb"'],
  },

  // --- AS numbers
  origin('0', '0'),
  origin('4294967296', '4294967296'),
  origin('99999999999999999999', '99999999999999999999'),
  origin('-1', '-1'),
  origin('1.10', '1.10 (asdot is not read, write it in plain decimal)'),
  origin('AS0', '"AS0"'),
  origin('0x10', '0x10'),
  origin('064500', '064500'),
  origin('64500.5e1', '64500.5e1'),
  origin('"{64500"', '"{64500"'),
  origin('"{}"', '"{}"'),
  origin('"{64500,,64501}"', '"{64500,,64501}"'),
  origin('"{0,64501}"', '"{0,64501}"'),
  origin('"{1.10 64501}"', '"{1.10 64501}" (asdot is not read, write it in plain decimal)'),
  origin('{64501,64502}', 'a map (put it in quotes: "{64501,64502}")'),
  origin('{}', 'a map'),
  {
    name: 'an AS_SET twice',
    yaml: 'prefixes: [{prefix: 192.0.2.0/24, upstreams: [1, "{AS3 2}", "{2,3,3}"]}]\n',
    problems: ['bgp.yml:1:61: prefixes[0].upstreams[2]: {2,3} is listed twice'],
  },
  origin('true', 'true'),
  {
    name: 'an AS twice',
    yaml: 'prefixes: [{prefix: 192.0.2.0/24, origins: [64500, 1, AS64500]}]\n',
    problems: ['bgp.yml:1:55: prefixes[0].origins[2]: AS 64500 is listed twice'],
  },
  {
    name: 'upstreams that are empty',
    yaml: 'prefixes: [{prefix: 192.0.2.0/24, upstreams: []}]\n',
    problems: [
      'bgp.yml:1:46: prefixes[0].upstreams: expected an AS number or more, got none (leave the key out for any)',
    ],
  },
  {
    name: 'origins that are no list',
    yaml: 'prefixes: [{prefix: 192.0.2.0/24, origins: 64500}]\n',
    problems: [
      'bgp.yml:1:44: prefixes[0].origins: expected a list of AS numbers, got a number (did you mean [64500]?)',
    ],
  },
  {
    name: 'lists of ASes as a text',
    yaml: `prefixes: [{prefix: 192.0.2.0/24, origins: '[64500]', upstreams: 'AS1103, 3356'}]\n`,
    problems: [
      'bgp.yml:1:44: prefixes[0].origins: expected a list of AS numbers, got a text (did you mean [64500]?)',
      'bgp.yml:1:66: prefixes[0].upstreams: expected a list of AS numbers, got a text (did you mean [1103, 3356]?)',
    ],
  },
  {
    name: 'an AS with a blank',
    yaml: 'prefixes: [{prefix: 192.0.2.0/24, origins: [AS 64500]}]\n',
    problems: [
      'bgp.yml:1:45: prefixes[0].origins[0]: expected an AS number from 1 to 4294967295, or an AS_SET such as "{64501,64502}", got "AS 64500" (did you mean 64500?)',
    ],
  },
  {
    name: 'too many origins',
    yaml: `prefixes: [{prefix: 192.0.2.0/24, origins: [${Array.from({ length: 65 }, (_, i) => i + 1)}]}]\n`,
    problems: ['bgp.yml:1:44: prefixes[0].origins: expected at most 64 AS numbers, got 65'],
  },

  // --- sources
  {
    name: 'a source that is none',
    yaml: `${OK}sources: [ris]\n`,
    problems: ['bgp.yml:2:11: sources[0]: expected one of bgproutes, ris-live, kafka, got "ris"'],
  },
  {
    name: 'an unknown source without a key',
    yaml: `${OK}sources: [rislive]\n`,
    env: {},
    problems: [
      'bgp.yml:2:11: sources[0]: expected one of bgproutes, ris-live, kafka, got "rislive" (did you mean ris-live?)',
    ],
  },
  {
    name: 'no list of sources',
    yaml: `${OK}sources: {a: b}\n`,
    problems: ['bgp.yml:2:10: sources: expected a list of bgproutes, ris-live, kafka, got a map'],
  },
  {
    name: 'a source twice',
    yaml: `${OK}sources: [ris-live, ris-live]\n`,
    problems: ['bgp.yml:2:21: sources[1]: ris-live is given twice'],
  },
  {
    name: 'a source by a flag that is none',
    yaml: OK,
    flags: { source: ['ripe'] },
    problems: ['--source: expected one of bgproutes, ris-live, kafka, got "ripe"'],
  },
  {
    name: 'what RIS Live does not take',
    yaml: `${OK}ris_live: {client: a b, url: 'https://ris-live.ripe.net', stale_after: 1s}\n`,
    problems: [
      'bgp.yml:2:20: ris_live.client: expected 1 to 64 letters, digits, - and _, got "a b"',
      'bgp.yml:2:30: ris_live.url: expected a URL that starts with ws:// or wss://, such as wss://ris-live.ripe.net/v1/ws/, got "https://ris-live.ripe.net"',
      'bgp.yml:2:72: ris_live.stale_after: expected a duration from 5s to 1h, got "1s"',
    ],
  },
  {
    name: 'brokers and topics that are none',
    yaml: `${OK}kafka: {brokers: [kafka, 'http://kafka:9092', 'kafka:0'], topics: ['^(', 'a b'], format: mrt, history: ripestat}\n`,
    problems: [
      'bgp.yml:2:19: kafka.brokers[0]: expected a broker such as kafka.example.net:9092, got "kafka" (did you mean kafka:9092?)',
      'bgp.yml:2:26: kafka.brokers[1]: expected a broker such as kafka.example.net:9092, got "http://kafka:9092"',
      'bgp.yml:2:47: kafka.brokers[2]: expected a broker such as kafka.example.net:9092, got "kafka:0"',
      'bgp.yml:2:68: kafka.topics[0]: expected the name of a topic, or a regular expression that begins with ^, got "^(" (it is no regular expression)',
      'bgp.yml:2:74: kafka.topics[1]: expected the name of a topic, or a regular expression that begins with ^, got "a b"',
      'bgp.yml:2:90: kafka.format: expected one of openbmp, bmp, bgproutes-json, got "mrt"',
      'bgp.yml:2:104: kafka.history: expected one of none, data-api, got "ripestat"',
    ],
  },
  {
    name: 'Kafka without what it needs',
    yaml: `${OK}sources: [kafka]\nkafka: {brokers: [], topics: [], tls: {cert_file: no-such.pem}, sasl: {mechanism: plain, username: a, password_file: no-such}}\n`,
    env: {},
    problems: [
      'bgp.yml:3:18: kafka.brokers: expected at least one, got none',
      'bgp.yml:3:30: kafka.topics: expected at least one, got none',
      'bgp.yml:3:39: kafka.tls: expected both of cert_file and key_file, or neither',
      'bgp.yml:3:51: kafka.tls.cert_file: the file cannot be read: no such file',
      'bgp.yml:3:118: kafka.sasl.password_file: the file cannot be read: no such file',
    ],
  },
  {
    name: 'a fleet without brokers, with one topic for both and a group that no broker takes',
    yaml: `${OK}fleet: {brokers: [], group: 'a b', partitions: 0, events_topic: bgp, state_topic: bgp}\n`,
    problems: [
      'bgp.yml:2:29: fleet.group: expected 1 to 249 letters, digits, ., _ and -, got "a b"',
      'bgp.yml:2:48: fleet.partitions: expected a whole number from 1 to 1024, got 0',
    ],
  },
  {
    name: 'a fleet whose topics and files are wrong',
    yaml: `${OK}fleet: {brokers: [], events_topic: bgp, state_topic: bgp, tls: {key_file: no-such.pem}}\n`,
    problems: [
      'bgp.yml:2:18: fleet.brokers: expected at least one, got none',
      'bgp.yml:2:54: fleet.state_topic: is that of the events: two topics are needed',
      'bgp.yml:2:64: fleet.tls: expected both of cert_file and key_file, or neither',
      'bgp.yml:2:75: fleet.tls.key_file: the file cannot be read: no such file',
    ],
  },
  {
    name: 'the Data API as the history of Kafka without a key',
    yaml: `${OK}sources: [kafka]\nkafka: {history: data-api}\n`,
    env: {},
    problems: [
      'no API key: set BGP_API_KEY or BGP_API_KEY_FILE, or give --bgproutes.api-key-file, or bgproutes.api_keys or bgproutes.api_key_files in a configuration file; --source=ris-live needs no key',
    ],
  },

  // --- keys of the service
  {
    name: 'no key',
    yaml: OK,
    env: {},
    problems: [
      'no API key: set BGP_API_KEY or BGP_API_KEY_FILE, or give --bgproutes.api-key-file, or bgproutes.api_keys or bgproutes.api_key_files in a configuration file; --source=ris-live needs no key',
    ],
  },
  {
    name: 'an empty variable',
    yaml: OK,
    env: { BGP_API_KEY: '' },
    problems: ['BGP_API_KEY: expected an API key, got an empty text'],
  },
  {
    name: 'a key with a blank',
    yaml: OK,
    env: { BGP_API_KEY: 'hidden one' },
    problems: [`BGP_API_KEY: ${KEY}; there is a blank in the middle of it`],
  },
  ...[
    ['hidden\none', 'there is a line break in the middle of it'],
    ['hidden\u00e4', 'it holds a character that is not ASCII (U+00E4)'],
    ['hid\u200bden', 'it holds a character that cannot be seen (U+200B)'],
    ['hidden'.repeat(200), 'it is longer than 1024 characters'],
    [' \n', 'it is empty'],
  ].map(([key, fault]) => ({
    name: `a key from the environment: ${fault}`,
    yaml: OK,
    env: { BGP_API_KEY: key },
    problems: [`BGP_API_KEY: ${KEY}; ${fault}`],
  })),
  {
    name: 'key and key file in the environment',
    yaml: OK,
    env: { BGP_API_KEY: 'hidden', BGP_API_KEY_FILE: 'k' },
    problems: ['BGP_API_KEY and BGP_API_KEY_FILE are both set, expected one of them'],
  },
  {
    name: 'a key file that is not there',
    yaml: OK,
    env: { BGP_API_KEY_FILE: 'hidden' },
    problems: ['BGP_API_KEY_FILE: the key file cannot be read: no such file'],
  },
  {
    name: 'an empty key file',
    yaml: OK,
    flags: { 'bgproutes.api-key-file': ['key'] },
    files: { key: ' \n' },
    problems: ['--bgproutes.api-key-file: the key file is empty'],
  },
  {
    name: 'a key as the name of a key file',
    yaml: `${OK}bgproutes: {api_key_files: [hidden]}\n`,
    problems: ['bgp.yml:2:29: bgproutes.api_key_files[0]: the key file cannot be read: no such file'],
  },
  {
    name: 'the same key in two places',
    yaml: `${OK}bgproutes:\n  api_keys: [hidden-key]\n  api_key_files: [keys]\n`,
    files: { keys: 'other-key\n\nhidden-key\n' },
    problems: [
      'bgp.yml:4:19: bgproutes.api_key_files[0], line 3: the same key as bgp.yml:3:14: bgproutes.api_keys[0]; a key carries one session, so each must be another one',
    ],
  },
  {
    name: 'keys of the wrong kind',
    yaml: `${OK}bgproutes:\n  api_keys: ["", 12345, "hidden key", ~]\n`,
    problems: [
      `bgp.yml:3:14: bgproutes.api_keys[0]: ${KEY}, got an empty text`,
      `bgp.yml:3:18: bgproutes.api_keys[1]: ${KEY}, got a number (put it in quotes)`,
      `bgp.yml:3:25: bgproutes.api_keys[2]: ${KEY}, got a text (there is a blank in the middle of it)`,
      `bgp.yml:3:39: bgproutes.api_keys[3]: ${KEY}, got nothing`,
    ],
  },
  value('bgproutes.api_keys', 'hidden', 'expected a list of API keys, got a text'),
  {
    name: 'too few keys',
    flags: { prefix: Array.from({ length: 25 }, (_, i) => `10.${i}.0.0/16`) },
    problems: ['BGP_API_KEY: 25 prefixes need 3 keys (10 a key), got 1'],
  },
  {
    name: 'too few keys with a canary',
    yaml: 'bgproutes: {canary_prefix: 84.205.64.0/24, prefixes_per_key: 3}\n',
    flags: { prefix: ['10.0.0.0/16', '10.1.0.0/16', '10.2.0.0/16'] },
    problems: ['BGP_API_KEY: 3 prefixes need 2 keys (3 a key, one of them the canary), got 1'],
  },
  {
    name: 'a canary without room',
    yaml: `${OK}bgproutes: {canary_prefix: 84.205.64.0/24, prefixes_per_key: 1}\n`,
    problems: [
      'bgp.yml:2:28: bgproutes.canary_prefix: a key that carries one prefix has no room for another one beside the canary',
    ],
  },
  value('bgproutes.prefixes_per_key', '0', 'expected a whole number from 1 to 10000, got 0'),
  value('bgproutes.prefixes_per_key', '10.5', 'expected a whole number from 1 to 10000, got 10.5'),
  value('bgproutes.canary_prefix', '84.205.64.1/24', '84.205.64.1/24: host bits are set, did you mean 84.205.64.0/24?'),

  // --- addresses
  value('bgproutes.websocket_url', 'https://x.example', `${WS}, got "https://x.example"`),
  value('bgproutes.websocket_url', 'x.example:443', `${WS}, got "x.example:443"`),
  value('bgproutes.websocket_url', '"ftp://x/?api_key=hidden"', `${WS}, got "ftp://x/…"`),
  value('bgproutes.websocket_url', '"wss://x/?api_key=hidden"', NO_QUERY),
  value('bgproutes.live_manager_url', 'https://me:hidden@x.example', 'expected a URL without a user name and password'),
  value('bgproutes.data_api_url', '"https://x.example/#hidden"', NO_QUERY),
  value(
    'bgproutes.data_api_url',
    'me:hidden@x',
    'expected a URL that starts with http:// or https://, such as https://api.bgproutes.io, got "…@x"',
  ),
  value('web.listen_address', '10479', `${LISTEN}, got 10479 (did you mean ":10479"?)`),
  value('web.listen_address', '"::1:9000"', `${LISTEN}, got "::1:9000" (did you mean "[::1]:9000"?)`),
  value('web.listen_address', 'unix:bgp.sock', `${LISTEN}, got "unix:bgp.sock"`),
  value('web.listen_address', 'unix:/run/', `${LISTEN}, got "unix:/run/"`),
  value('web.listen_address', '"vsock://:9100"', `${LISTEN}, got "vsock://:9100" (Node has no sockets of that kind)`),
  value('web.listen_address', '[]', `${LISTEN}, got an empty list (from 1 to 16)`),
  {
    name: 'listen addresses of a list',
    yaml: `${OK}web: {listen_address: [":1", "x", "", ":1"]}\n`,
    problems: [
      `bgp.yml:2:30: web.listen_address[1]: ${LISTEN}, got "x" (the port is missing, as "x:10479")`,
      `bgp.yml:2:35: web.listen_address[2]: ${LISTEN}, got ""`,
      'bgp.yml:2:39: web.listen_address[3]: :1 is given twice',
    ],
  },
  value('web.listen_address', 'localhost', `${LISTEN}, got "localhost" (the port is missing, as "localhost:10479")`),
  value('web.listen_address', '"[::1]"', `${LISTEN}, got "[::1]" (the port is missing, as "[::1]:10479")`),
  value('web.listen_address', '":65536"', `${LISTEN}, got ":65536" (a port is 0 to 65535)`),
  value('web.listen_address', '"[::1]:100000"', `${LISTEN}, got "[::1]:100000" (a port is 0 to 65535)`),
  value('web.listen_address', '127.0.0.256:80', `${LISTEN}, got "127.0.0.256:80"`),
  value('web.listen_address', '"[127.0.0.1]:80"', `${LISTEN}, got "[127.0.0.1]:80"`),
  value('web.listen_address', 'http://localhost:80', `${LISTEN}, got "http://localhost:80"`),
  value('web.page', 'no', 'expected on or off, got "no"'),
  value('history.max_prefixes', '10001', 'expected a whole number from 0 to 10000, got 10001'),
  value('history.max_changes', '-1', 'expected a whole number from 0 to 1000, got -1'),
  {
    name: 'a proxy of another kind',
    yaml: `${OK}proxy_url: socks5://noc:hidden@p:1080\n`,
    problems: [`bgp.yml:2:12: proxy_url: ${PROXY}, got a text (SOCKS is not spoken here)`],
  },
  {
    name: 'a proxy without a scheme',
    yaml: `${OK}proxy_url: noc:hidden@proxy:3128\n`,
    problems: [`bgp.yml:2:12: proxy_url: ${PROXY}, got a text`],
  },
  value(
    'web.external_url',
    'mon.example.net',
    'expected a URL such as https://mon.example.net/bgp/, or "", got "mon.example.net"',
  ),
  value(
    'web.route_prefix',
    '/a//b',
    'expected a path such as /bgp, / for none, or "" for that of external_url, got "/a//b"',
  ),
  value('tls.ca_file', '[1]', 'expected the path of a file, or "" for none, got a list'),
  value('web.telemetry_path', 'metrics', `${WEB_PATH}, got "metrics"`),
  value('web.telemetry_path', '/', `${WEB_PATH}, got "/"`),
  value('web.telemetry_path', '/-/ready', `${WEB_PATH}, got "/-/ready"`),
  value('web.telemetry_path', '"/a/:b"', `${WEB_PATH}, got "/a/:b"`),
  {
    name: 'no output',
    yaml: `${OK}web: {listen_address: ""}\n`,
    problems: ['nobody would get the metrics: web.listen_address is empty and otlp.endpoint is not set'],
  },

  // --- durations and words
  value('table.reseed_interval', '5 parsecs', 'expected a duration from 10s to 7d, or 0 (never), got "5 parsecs"'),
  value(
    'table.reseed_interval',
    '60',
    'expected a duration from 10s to 7d, or 0 (never), got 60 (a unit is missing, such as 60s)',
  ),
  value(
    'table.reseed_interval',
    '30m1h',
    'expected a duration from 10s to 7d, or 0 (never), got "30m1h" (did you mean 1h30m?)',
  ),
  value(
    'table.reseed_interval',
    '90 s',
    'expected a duration from 10s to 7d, or 0 (never), got "90 s" (did you mean 1m30s?)',
  ),
  value(
    'table.reseed_interval',
    '2 Hours, 5 min',
    'expected a duration from 10s to 7d, or 0 (never), got "2 Hours, 5 min" (did you mean 2h5m?)',
  ),
  value(
    'table.reseed_interval',
    '1.5h',
    'expected a duration from 10s to 7d, or 0 (never), got "1.5h" (did you mean 1h30m?)',
  ),
  value('table.expected_window', '0', 'expected a duration from 1m to 30d, got 0'),
  value('table.route_ttl', '1s', 'expected a duration from 1m to 30d, or 0 (never), got "1s"'),
  value('table.data_api_lag', '-1m', 'expected a duration from 0 to 1h, got "-1m"'),
  value('table.expected_vps', 'ful_feed', 'expected one of seen, full_feed, got "ful_feed" (did you mean full_feed?)'),
  value('table.seed', 'yes', 'expected true or false, got "yes"'),
  value('table.max_vps', '10', 'expected a whole number from 100 to 200000, got 10'),
  value('table.max_origin_series', '0', 'expected a whole number from 1 to 1024, got 0'),
  value('table.countries', 'NL', 'expected a list of countries such as [NL, DE], got a text (did you mean [NL]?)'),
  {
    name: 'countries that are none, or named by a word',
    yaml: `${OK}table: {countries: [XX, Norway]}\n`,
    problems: [
      'bgp.yml:2:21: table.countries[0]: expected a country by its two letters (ISO 3166), such as NL, got "XX"',
      'bgp.yml:2:25: table.countries[1]: expected a country by its two letters (ISO 3166), such as NL, got "Norway" (did you mean NO?)',
    ],
  },
  {
    name: 'a country that is listed twice',
    yaml: `${OK}table: {countries: [NL, NL]}\n`,
    problems: ['bgp.yml:2:25: table.countries[1]: NL is listed twice'],
  },
  {
    name: 'too many countries',
    yaml: `${OK}table: {countries: [AD, AE, AF, AG, AL, AM, AO, AR, AT, AU, AZ, BA, BB, BD, BE, BF, BG, BH, BI, BJ, BN, BO, BR, BS, BT, BW, BY, BZ, CA, CD, CF, CG, CH]}\n`,
    problems: ['bgp.yml:2:20: table.countries: expected at most 32 countries, got 33'],
  },
  // --- names, rpki, paths
  {
    name: 'names without a file',
    yaml: `${OK}names: {}\n`,
    problems: ['bgp.yml:2:8: names.as_file: expected the path of a file, got nothing'],
  },
  {
    name: 'rpki without a source',
    yaml: `${OK}rpki: {max_age: 1h}\n`,
    problems: ['bgp.yml:2:7: rpki.sources: expected at least one source, got none (leave rpki out for none)'],
  },
  {
    name: 'an empty rpki',
    yaml: `${OK}rpki:\n`,
    problems: ['bgp.yml:2:6: rpki.sources: expected at least one source, got none (leave rpki out for none)'],
  },
  {
    name: 'sources that are nowhere, at two places, or of another protocol',
    yaml: `${OK}rpki:\n  sources:\n    - {interval: 1m}\n    - {url: "http://a/json", file: b}\n    - {url: "ftp://a/json?key=SECRET"}\n    - {url: "rtr://"}\n`,
    problems: [
      'bgp.yml:4:7: rpki.sources[0]: expected either url or file, got none',
      'bgp.yml:5:7: rpki.sources[1]: expected either url or file, got both',
      'bgp.yml:6:13: rpki.sources[2].url: expected a URL that starts with http:// or https:// or rtr:// or rtrs://, such as http://validator:8323/json, got "ftp://a/json…"',
      'bgp.yml:7:13: rpki.sources[3].url: expected a host, such as rtr://validator:8282',
    ],
  },
  {
    name: 'more sources than anybody asks',
    yaml: `${OK}rpki:\n  sources: [${Array(9).fill('{file: a}').join(', ')}]\n`,
    problems: ['bgp.yml:3:12: rpki.sources: expected at most 8 sources, got 9'],
  },
  {
    name: 'rpki.max_age: 1m',
    yaml: `${OK}rpki:\n  max_age: 1m\n  sources: [{file: a}]\n`,
    problems: ['bgp.yml:3:12: rpki.max_age: expected a duration from 10m to 7d, got "1m"'],
  },
  value('paths.transit_free', '174', 'expected a list of AS numbers, got a number (did you mean [174]?)'),
  {
    name: 'paths.allowed: [0]',
    yaml: `${OK}paths:\n  allowed: [AS65000, 0]\n`,
    problems: ['bgp.yml:3:22: paths.allowed[1]: expected an AS number from 1 to 4294967295, got 0'],
  },
  value('storage.path', '""', 'expected the path of a folder, got ""'),
  value('storage.snapshot_interval', '1w', 'expected a duration from 1s to 1h, got "1w"'),
  value('log.level', 'warnings', 'expected one of debug, info, warn, error, got "warnings"'),
  value('log.format', 'text', 'expected one of logfmt, json, got "text"'),

  // --- OTLP
  value(
    'otlp.endpoint',
    'localhost:4318',
    'expected a URL that starts with http:// or https://, such as http://localhost:4318, got "localhost:4318"',
  ),
  value('otlp.protocol', 'grpc', 'expected one of http/protobuf, http/json, got "grpc"'),
  value('otlp.headers', '[hidden]', 'expected a map of header names and values, got a list'),
  {
    name: 'headers and attributes',
    yaml: `${OK}otlp:\n  headers: {"a b": hidden, x: 5, y: "hidden\\n"}\n  resource_attributes: {"": a, b: 1}\n`,
    problems: [
      'bgp.yml:3:20: otlp.headers."a b": expected the name of an HTTP header',
      'bgp.yml:3:31: otlp.headers.x: expected the text of an HTTP header in visible ASCII, got a number (put it in quotes)',
      'bgp.yml:3:37: otlp.headers.y: expected the text of an HTTP header in visible ASCII, got a text',
      'bgp.yml:4:29: otlp.resource_attributes."": expected the name of an attribute',
      'bgp.yml:4:35: otlp.resource_attributes.b: expected a text of at most 1000 characters, got 1 (put it in quotes)',
    ],
  },
  {
    name: 'a timeout over the interval',
    yaml: `${OK}otlp: {interval: 5s, timeout: 10s}\n`,
    problems: ['bgp.yml:2:31: otlp.timeout: expected at most the interval of 5s, got "10s"'],
  },

  // --- keys of the file
  {
    name: 'unknown keys',
    yaml: 'prefixs: []\nprefixes:\n  - prefix: 192.0.2.0/24\n    origin: [1]\nweb:\n  port: 80\n__proto__: {a: 1}\nconstructor: 5\n',
    problems: [
      'bgp.yml:1:1: prefixs: unknown key, did you mean prefixes?',
      'bgp.yml:4:5: prefixes[0].origin: unknown key, did you mean origins?',
      'bgp.yml:6:3: web.port: unknown key, expected one of listen_address, systemd_socket, config_file, external_url, route_prefix, telemetry_path, enable_lifecycle, page',
      'bgp.yml:7:1: __proto__: unknown key, expected one of prefixes, sources, bgproutes, ris_live, kafka, fleet, proxy_url, tls, web, history, table, storage, rpki, names, paths, otlp, log',
      'bgp.yml:8:1: constructor: unknown key, expected one of prefixes, sources, bgproutes, ris_live, kafka, fleet, proxy_url, tls, web, history, table, storage, rpki, names, paths, otlp, log',
    ],
  },
  {
    name: 'keys given twice',
    yaml: `${OK}web:\n  listen_address: :1\n  listen_address: :2\nlog:\n  level: info\nweb: {}\n`,
    problems: [
      'bgp.yml:4:3: web.listen_address: given twice, first at 3:3',
      'bgp.yml:7:1: web: given twice, first at 2:1',
    ],
  },
  {
    name: 'a section of the wrong kind',
    yaml: `${OK}web: hidden\n`,
    problems: [
      'bgp.yml:2:6: web: expected a map with keys of listen_address, systemd_socket, config_file, external_url, route_prefix, telemetry_path, enable_lifecycle, page, got a text',
    ],
  },
  {
    name: 'a file that is a list',
    yaml: '- prefixes\n',
    problems: [
      'bgp.yml:1:1: expected a map with keys of prefixes, sources, bgproutes, ris_live, kafka, fleet, proxy_url, tls, web, history, table, storage, rpki, names, paths, otlp, log, got a list',
    ],
  },

  // --- YAML itself
  {
    name: 'a tab',
    yaml: 'prefixes:\n\t- prefix: x\n',
    problems: ['bgp.yml:2:1: not YAML: the line is indented with a tab, expected blanks'],
  },
  {
    name: 'an open bracket before a list',
    yaml: 'prefixes: [\n  - prefix: x\n',
    problems: ['bgp.yml:2:3: not YAML: a [ or { before this place is not closed'],
  },
  {
    name: 'an open bracket',
    yaml: 'prefixes: [192.0.2.0/24\n',
    problems: ['bgp.yml:2:1: not YAML: a closing ] is missing before this place'],
  },
  {
    name: 'an open brace',
    yaml: 'prefixes:\n  - {prefix: 192.0.2.0/24\nfoo: bar\n',
    problems: ['bgp.yml:3:1: not YAML: a closing } is missing before this place'],
  },
  {
    name: 'an open quote',
    yaml: 'prefixes:\n  - prefix: "192.0.2.0/24\n',
    problems: ['bgp.yml:3:1: not YAML: a closing " is missing before this place'],
  },
  {
    name: 'a line of a list without its dash',
    yaml: 'prefixes:\n  - prefix: 192.0.2.0/24\n   description: x\n',
    problems: ['bgp.yml:3:1: not YAML: the line is indented like a list, but does not begin with "- "'],
  },
  {
    name: 'a line that is indented in another way',
    yaml: 'web:\n  listen_address: x\n   telemetry_path: y\n',
    problems: [
      'bgp.yml:2:19: not YAML: a "key: value" inside a value: a line is indented too far, or a text with ": " needs quotes',
    ],
  },
  {
    name: 'two colons in a line',
    yaml: 'prefixes:\n  - prefix: 192.0.2.0/24 description: x\n',
    problems: [
      'bgp.yml:2:13: not YAML: a "key: value" inside a value: a line is indented too far, or a text with ": " needs quotes',
    ],
  },
  {
    name: 'a line without a colon',
    yaml: 'foo\nprefixes:\n',
    problems: ['bgp.yml:1:1: not YAML: expected "key: value", got no ":" behind the key'],
  },
  {
    name: 'a text that begins with a reserved character',
    yaml: 'prefixes:\n  - prefix: @x\n',
    problems: ['bgp.yml:2:13: not YAML: quote a text that starts with @'],
  },
  {
    name: 'a text that begins with a percent sign',
    yaml: 'prefixes: %a\n',
    problems: ['bgp.yml:1:11: not YAML: quote a text that starts with %'],
  },
  {
    name: 'an escape that there is none of',
    yaml: 'bgproutes:\n  api_keys: ["a\\qhidden"]\n',
    problems: [
      'bgp.yml:2:16: not YAML: a \\ in double quotes begins no escape that YAML knows (put the text in single quotes)',
    ],
  },
  {
    name: 'a bracket at the wrong place',
    yaml: '{"prefixes": [}\n',
    problems: ['bgp.yml:1:15: not YAML: a closing ] is missing before this place'],
  },
  {
    name: 'a comma that is missing',
    yaml: 'prefixes: ["a" "b"]\n',
    problems: ['bgp.yml:1:16: not YAML: a comma is missing before this place'],
  },
  {
    name: 'a comment without a blank',
    yaml: 'prefixes: "a"#b\n',
    problems: ['bgp.yml:1:14: not YAML: a blank is missing before the #'],
  },
  {
    name: 'an unknown alias',
    yaml: 'bgproutes:\n  api_keys: [*hidden]\n',
    problems: ['bgp.yml:2:14: not YAML: an alias without an anchor (quote a text that starts with *)'],
  },
  {
    name: 'a tag',
    yaml: 'bgproutes:\n  api_keys: [!hidden]\n',
    problems: ['bgp.yml:2:14: not YAML: tags are not read (quote a text that starts with !)'],
  },
  { name: 'a key that is no text', yaml: '? [a]\n: b\n', problems: ['bgp.yml:1:3: not YAML: expected a text as key'] },
  {
    name: 'two documents',
    yaml: `${OK}---\n${OK}`,
    problems: ['bgp.yml:2:1: not YAML: expected one document, got a second one'],
  },
  {
    name: 'a bomb of aliases',
    yaml: `a: &a [${'x,'.repeat(50)}]\nb: &b [${'*a,'.repeat(50)}]\nc: &c [${'*b,'.repeat(50)}]\nprefixes: [${'*c,'.repeat(50)}]\n`,
    problems: ['bgp.yml:1:1: its aliases stand for more than 4000000 values'],
  },
  {
    name: 'aliases of lists where a number is expected',
    yaml: `prefixes:\n  - prefix: 192.0.2.0/24\n    origins: &a [&b [&c [${'x,'.repeat(200)}], ${'*c,'.repeat(200)}]]\n    upstreams: [*a]\nweb: {listen_address: *b}\n`,
    problems: [
      `bgp.yml:3:21: prefixes[0].origins[0]: ${AS}, got a list`,
      `bgp.yml:4:17: prefixes[0].upstreams[0]: ${AS}, got a list`,
      `bgp.yml:5:23: web.listen_address: ${LISTEN}, got a list (from 1 to 16)`,
    ],
  },
  {
    name: 'an alias inside its own anchor',
    yaml: 'prefixes: &p [*p]\n',
    problems: ['bgp.yml:1:15: prefixes[0]: expected a map such as {prefix: 192.0.2.0/24}, got a list'],
  },

  // --- variables
  {
    name: 'variables',
    yaml: `prefixes: [{prefix: "\${NET}"}]\nbgproutes:\n  api_keys: ["\${NONE}", "\${EMPTY}", "\${9}", "\${OPEN", "\${constructor}"]\nlog: {level: "\${BGP_API_KEY}"}\n`,
    env: { BGP_API_KEY: 'hidden-key', EMPTY: '', NET: '10.0.0.1/8' },
    problems: [
      'bgp.yml:1:21: prefixes[0].prefix: 10.0.0.1/8: host bits are set, did you mean 10.0.0.0/8?',
      'bgp.yml:3:14: bgproutes.api_keys[0]: the environment variable NONE is not set',
      'bgp.yml:3:25: bgproutes.api_keys[1]: the environment variable EMPTY is empty',
      'bgp.yml:3:37: bgproutes.api_keys[2]: expected the name of an environment variable in the braces after $ (write $$ for a dollar sign)',
      'bgp.yml:3:45: bgproutes.api_keys[3]: expected the name of an environment variable in the braces after $ (write $$ for a dollar sign)',
      'bgp.yml:3:55: bgproutes.api_keys[4]: the environment variable constructor is not set',
      `bgp.yml:4:14: log.level: expected one of debug, info, warn, error, got "[redacted]" (from "\${BGP_API_KEY}")`,
    ],
  },
  {
    name: 'a variable that cannot change the structure',
    yaml: `prefixes: [{prefix: "\${NET}"}]\n`,
    env: { BGP_API_KEY: 'k-123456', NET: '10.0.0.0/8}, {prefix: 11.0.0.0/8' },
    problems: [`bgp.yml:1:21: prefixes[0].prefix: ${PREFIX}, got "10.0.0.0/8}, {prefix: 11.0.0.0/8" (from "\${NET}")`],
  },

  // --- flags
  {
    name: 'flags',
    flags: {
      prefix: ['192.0.2.1/24', 'x'],
      'web.listen-address': '80',
      'log.level': 'inf',
      'bgproutes.websocket-url': 'wss://x/?k=hidden',
    },
    problems: [
      '--prefix: 192.0.2.1/24: host bits are set, did you mean 192.0.2.0/24?',
      `--prefix: ${PREFIX}, got "x"`,
      `--bgproutes.websocket-url: ${NO_QUERY}`,
      `--web.listen-address: ${LISTEN}, got "80" (did you mean ":80"?)`,
      '--log.level: expected one of debug, info, warn, error, got "inf" (did you mean info?)',
    ],
  },
  {
    name: 'a prefix in two flags',
    flags: { prefix: ['2001:DB8:0::/32', '10.0.0.0/8', '2001:db8::/32', '10.0.0.0/8'] },
    problems: [
      '--prefix: 2001:db8::/32 is given twice, first as 2001:DB8:0::/32',
      '--prefix: 10.0.0.0/8 is given twice',
    ],
  },
  {
    name: 'prefixes in one flag',
    flags: { prefix: ['10.0.0.0/8,2001:db8::/32', '10.0.0.0/8, x'] },
    problems: [
      `--prefix: ${PREFIX}, got "10.0.0.0/8,2001:db8::/32" (these are several, each is given on its own)`,
      `--prefix: ${PREFIX}, got "10.0.0.0/8, x"`,
    ],
  },
  {
    name: 'prefixes of the environment',
    yaml: 'prefixes: [{prefix: 10.0.0.0/8}]\n',
    flags: { prefix: ['11.0.0.0/8'] },
    env: { BGP_API_KEY: 'k', BGP_PREFIXES: ' 192.0.2.0,192.0.2.0/24  12.0.0.0/8, 12.0.0.0/8,10.0.0.0/8,11.0.0.0/8' },
    problems: [
      `BGP_PREFIXES: ${PREFIX}, got "192.0.2.0" (the length is missing, as /24)`,
      'BGP_PREFIXES: 12.0.0.0/8 is given twice',
      'BGP_PREFIXES: 10.0.0.0/8 is the same prefix as that of bgp.yml:1:21: prefixes[0].prefix',
      'BGP_PREFIXES: 11.0.0.0/8 is the same prefix as that of --prefix',
    ],
  },
  {
    name: 'no prefix, no file',
    problems: ['no prefix: give --prefix or BGP_PREFIXES, or prefixes in a configuration file (--config.file)'],
  },
  {
    name: 'too few keys, which are in the file',
    yaml: 'prefixes: [{prefix: 10.0.0.0/8}, {prefix: 11.0.0.0/8}]\nbgproutes: {api_keys: [k], prefixes_per_key: 1}\n',
    problems: ['bgp.yml:2:23: bgproutes.api_keys: 2 prefixes need 2 keys (1 a key), got 1'],
  },
  {
    name: 'too few keys, which are in the file of a flag',
    flags: { prefix: Array.from({ length: 11 }, (_, i) => `10.${i}.0.0/16`), 'bgproutes.api-key-file': ['keys'] },
    files: { keys: 'k' },
    problems: ['--bgproutes.api-key-file: 11 prefixes need 2 keys (10 a key), got 1'],
  },
  {
    name: 'no web server by a flag',
    flags: { prefix: ['10.0.0.0/8'], 'web.listen-address': '' },
    problems: ['nobody would get the metrics: --web.listen-address is empty and otlp.endpoint is not set'],
  },
  {
    name: 'a file that is not there',
    flags: { 'config.file': 'none.yml' },
    problems: ['none.yml: the configuration file cannot be read: no such file'],
  },
  {
    name: 'a file without a name',
    flags: { 'config.file': '' },
    problems: ['expected the path of a configuration file, got an empty text'],
  },
];
