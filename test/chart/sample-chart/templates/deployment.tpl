{{- if eq .Values.image.repository "" }}
{{- fail "image.repository is empty. Name the image." }}
{{- end }}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}
  namespace: {{ .Release.Namespace }}
  labels: { app.kubernetes.io/name: sample, app.kubernetes.io/version: {{ .Capabilities.KubeVersion.Version | quote }} }
spec:
  replicas: {{ .Values.replicas }}
  selector:
    matchLabels: { app.kubernetes.io/name: sample }
  template:
    metadata:
      labels: { app.kubernetes.io/name: sample }
      annotations: {{ toJson .Values.podAnnotations }}
    spec:
      containers:
        - name: sample
          image: {{ printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) }}
          volumeMounts:
            - { name: files, mountPath: /files }
      volumes:
        - name: files
          configMap: { name: {{ .Release.Name }}, defaultMode: 0440 }
