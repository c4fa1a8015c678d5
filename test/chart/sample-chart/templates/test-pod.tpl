apiVersion: v1
kind: Pod
metadata:
  name: {{ .Release.Name }}-test
  annotations: { helm.sh/hook: test }
spec:
  restartPolicy: Never
  containers:
    - name: test
      image: {{ .Values.image.repository }}
