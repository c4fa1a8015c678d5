{{- if and .Values.monitor.enabled (.Capabilities.APIVersions.Has "monitoring.coreos.com/v1") }}
apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
metadata:
  name: {{ .Release.Name }}
spec:
  selector:
    matchLabels: { app.kubernetes.io/name: sample }
  endpoints:
    - port: http
{{- end }}
