{{- define "bgproutes-exporter.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 42 | trimSuffix "-" -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) | trunc 42 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* The rules know an exporter's job by this word, hence it is never another. */}}
{{- define "bgproutes-exporter.selector" -}}
app.kubernetes.io/name: bgproutes-exporter
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "bgproutes-exporter.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{ include "bgproutes-exporter.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- with .Values.labels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "bgproutes-exporter.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "bgproutes-exporter.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "bgproutes-exporter.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}{{ .repository }}@{{ .digest }}{{- else -}}{{ .repository }}:{{ default $.Chart.AppVersion .tag }}{{- end -}}
{{- end -}}
{{- end -}}

{{/*
The exporters as a list in YAML: component (its name, or "exporter"), name (of its objects), command, fleet (whether several pods share
the prefixes), needsKey, and its values. A fleet has its ingest behind it.
*/}}
{{- define "bgproutes-exporter.exporters" -}}
{{- $fullname := include "bgproutes-exporter.fullname" . -}}
{{- $shared := pick .Values "config" "demo" "replicas" "apiKey" "kafka" "web" "persistence" "resources" "extraArgs" "extraEnv" "extraEnvFrom" "extraVolumes" "extraVolumeMounts" "podLabels" "podAnnotations" "nodeSelector" "tolerations" "affinity" "topologySpreadConstraints" "priorityClassName" "terminationGracePeriodSeconds" -}}
{{- $list := list -}}
{{- $keys := dict -}}
{{- range $component, $own := default (dict "" (dict)) .Values.exporters -}}
{{- $values := mergeOverwrite (deepCopy $shared) (deepCopy (default (dict) $own)) -}}
{{- $name := ternary $fullname (printf "%s-%s" $fullname $component) (eq $component "") -}}
{{- $at := ternary "" (printf "exporters.%s." $component) (eq $component "") -}}
{{- $config := default (dict) $values.config -}}
{{- $fleet := and (not $values.demo) (not (empty $config.fleet)) -}}
{{- if and $fleet $component -}}
{{- fail (printf "%sconfig.fleet: a fleet is a release of its own, since all its pods have one configuration and one key: put it into config.fleet, without exporters." $at) -}}
{{- end -}}
{{- if and $fleet (gt (len (default (list) $config.sources)) 1) -}}
{{- fail (printf "config.sources is %s, expected one: the ingest of a fleet has one source." (join ", " $config.sources)) -}}
{{- end -}}
{{- if and $fleet $config.fleet.instance (not (contains "${" (default "" $config.fleet.instance))) -}}
{{- fail (printf "config.fleet.instance is %s for all pods: leave it out, and each has the name of its pod." $config.fleet.instance) -}}
{{- end -}}
{{- if and (gt (int $values.replicas) 1) (not $fleet) -}}
{{- fail (printf "%sreplicas is %d, expected 1 or 0: a key has one session, and a second pod would take it from the first. Give each exporter a key of its own, under exporters, or share the prefixes through Kafka, by config.fleet." $at (int $values.replicas)) -}}
{{- end -}}
{{- if and (not $values.demo) (empty $config.prefixes) -}}
{{- fail (printf "%sconfig.prefixes is empty: name the prefixes to watch, or set %sdemo to true." $at $at) -}}
{{- end -}}
{{- range (dig "bgproutes" "api_keys" (list) $config) -}}
{{- if not (contains "${" .) -}}
{{- fail (printf "%sconfig.bgproutes.api_keys would lie in a ConfigMap, which is no place for a key: use %sapiKey, or ${NAME} and %sextraEnv." $at $at $at) -}}
{{- end -}}
{{- end -}}
{{- $asks := and (not $values.demo) (or (empty $config.sources) (has "bgproutes" (default (list) $config.sources)) (and (has "kafka" (default (list) $config.sources)) (eq "data-api" (dig "kafka" "history" "" $config)))) -}}
{{- $given := or $values.apiKey.existingSecret $values.apiKey.value -}}
{{- if and $asks (not $given) (empty (dig "bgproutes" "api_keys" (list) $config)) (empty (dig "bgproutes" "api_key_files" (list) $config)) -}}
{{- fail (printf "%sapiKey is missing: name a Secret in %sapiKey.existingSecret, or read RIPE RIS Live, which needs no key, with %sconfig.sources=[ris-live]." $at $at $at) -}}
{{- end -}}
{{- $needsKey := and $asks $given -}}
{{- if $needsKey -}}
{{- $id := ternary (printf "secret %s %s" $values.apiKey.existingSecret $values.apiKey.key) (printf "value %s" $values.apiKey.value) (ne $values.apiKey.existingSecret "") -}}
{{- if hasKey $keys $id -}}
{{- fail (printf "exporters.%s and exporters.%s have the same apiKey: a key has one session, and each would take it from the other. Put their prefixes into one exporter, or give each a key." (get $keys $id) $component) -}}
{{- end -}}
{{- $_ := set $keys $id $component -}}
{{- end -}}
{{- $needsKey = not (not $needsKey) -}}
{{- $list = append $list (dict "component" (default "exporter" $component) "name" $name "command" "serve" "fleet" $fleet "needsKey" (and $needsKey (not $fleet)) "values" $values) -}}
{{- if $fleet -}}
{{- $ofIngest := mergeOverwrite (deepCopy $values) (pick $.Values.ingest "replicas" "resources") -}}
{{- $list = append $list (dict "component" "ingest" "name" (printf "%s-ingest" $name) "command" "ingest" "fleet" true "needsKey" $needsKey "values" $ofIngest) -}}
{{- end -}}
{{- end -}}
{{- toYaml $list -}}
{{- end -}}

{{/* The ports of the brokers that the exporters are given, as a list in YAML. A port that is a variable is not known here. */}}
{{- define "bgproutes-exporter.brokerPorts" -}}
{{- $ports := list -}}
{{- range include "bgproutes-exporter.exporters" . | fromYamlArray -}}
{{- $config := default (dict) .values.config -}}
{{- $brokers := list -}}
{{- if .fleet -}}
{{- $brokers = concat $brokers (default (list) $config.fleet.brokers) -}}
{{- end -}}
{{- if has "kafka" (default (list) $config.sources) -}}
{{- $brokers = concat $brokers (dig "kafka" "brokers" (list "stream.routeviews.org:9092") $config) -}}
{{- end -}}
{{- range $brokers -}}
{{- with regexFind "[0-9]+$" (regexFind ":[0-9]+$" .) -}}
{{- $ports = append $ports (int .) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $ports | uniq | toYaml -}}
{{- end -}}

{{/* What stands before every path of the web server, from the configuration as the exporter reads it: "", or such as "/bgp". */}}
{{- define "bgproutes-exporter.prefix" -}}
{{- $web := dig "web" (dict) (default (dict) .values.config) -}}
{{- $path := default (get (urlParse (default "" $web.external_url)) "path") $web.route_prefix | trimAll "/" -}}
{{- ternary "" (printf "/%s" $path) (eq $path "") -}}
{{- end -}}

{{- define "bgproutes-exporter.probe" -}}
{{- if .values.web.existingSecret -}}
{{- /* It reads the flags of process 1, so it knows TLS. The kubelet knows neither users nor client certificates. */ -}}
exec: {command: {{ concat (list "node" "/app/dist/main.js" "healthcheck") .values.web.healthcheckArgs | toJson }}}
timeoutSeconds: 5
{{- else -}}
httpGet: {path: {{ include "bgproutes-exporter.prefix" . }}/-/healthy, port: http}
timeoutSeconds: 3
{{- end -}}
{{- end -}}

{{- define "bgproutes-exporter.confined" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
runAsNonRoot: true
runAsUser: 10479
runAsGroup: 10479
capabilities: {drop: [ALL]}
{{- end -}}
