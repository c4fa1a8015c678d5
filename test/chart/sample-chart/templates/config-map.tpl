apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}
data:
  first: {{ if .Release.IsUpgrade }}upgraded{{ else }}installed{{ end }}
  time: "12:30"
{{- range .Values.files }}
  {{ .name }}: {{ .text | quote }}
{{- end }}
