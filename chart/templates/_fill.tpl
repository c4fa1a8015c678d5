{{/*
Helm takes a key away whose value is null, and values files of Kubecost are full of keys without a value. They stand for
the default here, as in every other place. Included first by every template, as nobody says which one Helm renders first.
*/}}
{{- define "federated-etl.fill" -}}
{{- include "federated-etl.fillMap" (dict "values" .Values "defaults" (include "federated-etl.defaults" . | fromYaml)) -}}
{{- end -}}

{{- define "federated-etl.fillMap" -}}
{{- range $key, $default := .defaults -}}
{{- if or (not (hasKey $.values $key)) (kindIs "invalid" (index $.values $key)) -}}
{{- $_ := set $.values $key $default -}}
{{- else if and (kindIs "map" $default) (kindIs "map" (index $.values $key)) -}}
{{- include "federated-etl.fillMap" (dict "values" (index $.values $key) "defaults" $default) -}}
{{- end -}}
{{- end -}}
{{- end -}}
