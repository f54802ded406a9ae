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

{{/* The exporters as a list in YAML: component (its name, or "exporter"), name (of its objects), needsKey, and its values. */}}
{{- define "bgproutes-exporter.exporters" -}}
{{- $fullname := include "bgproutes-exporter.fullname" . -}}
{{- $shared := pick .Values "config" "demo" "replicas" "apiKey" "web" "persistence" "resources" "extraArgs" "extraEnv" "extraEnvFrom" "extraVolumes" "extraVolumeMounts" "podLabels" "podAnnotations" "nodeSelector" "tolerations" "affinity" "topologySpreadConstraints" "priorityClassName" "terminationGracePeriodSeconds" -}}
{{- $list := list -}}
{{- $keys := dict -}}
{{- range $component, $own := default (dict "" (dict)) .Values.exporters -}}
{{- $values := mergeOverwrite (deepCopy $shared) (deepCopy (default (dict) $own)) -}}
{{- $name := ternary $fullname (printf "%s-%s" $fullname $component) (eq $component "") -}}
{{- $at := ternary "" (printf "exporters.%s." $component) (eq $component "") -}}
{{- $config := default (dict) $values.config -}}
{{- if gt (int $values.replicas) 1 -}}
{{- fail (printf "%sreplicas is %d, expected 1 or 0: a key has one session, and a second pod would take it from the first. Give each exporter a key of its own, under exporters." $at (int $values.replicas)) -}}
{{- end -}}
{{- if and (not $values.demo) (empty $config.prefixes) -}}
{{- fail (printf "%sconfig.prefixes is empty: name the prefixes to watch, or set %sdemo to true." $at $at) -}}
{{- end -}}
{{- range (dig "bgproutes" "api_keys" (list) $config) -}}
{{- if not (contains "${" .) -}}
{{- fail (printf "%sconfig.bgproutes.api_keys would lie in a ConfigMap, which is no place for a key: use %sapiKey, or ${NAME} and %sextraEnv." $at $at $at) -}}
{{- end -}}
{{- end -}}
{{- $asks := and (not $values.demo) (or (empty $config.sources) (has "bgproutes" (default (list) $config.sources))) -}}
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
{{- $list = append $list (dict "component" (default "exporter" $component) "name" $name "needsKey" (not (not $needsKey)) "values" $values) -}}
{{- end -}}
{{- toYaml $list -}}
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
