{{/*
The container of a process, and what its pod needs for it. Called with the root, the `component` (cluster, federator),
the `roles` of the process, `args`, `resources`, and the `env` and `mounts` of its own. Volumes have long names, as the container
may stand in somebody else's pod.
*/}}
{{- define "federated-etl.container" -}}
name: {{ .name | default .component }}
image: {{ include "federated-etl.image" .root }}
imagePullPolicy: {{ .root.Values.pods.image.pullPolicy }}
args: {{ toJson .args }}
{{- with include "federated-etl.env" . }}
env: {{- . | nindent 2 }}
{{- end }}
{{- with include "federated-etl.envFrom" .root }}
envFrom: {{- . | nindent 2 }}
{{- end }}
volumeMounts:
  - { name: federated-etl-settings, mountPath: /etc/federated-etl/settings, readOnly: true }
  - { name: federated-etl-store, mountPath: {{ include "federated-etl.storeFolder" .root }}, readOnly: true }
  - { name: federated-etl-tmp, mountPath: /tmp }
  {{- if or .root.Values.pods.caBundle.configMap .root.Values.pods.caBundle.secret }}
  - { name: federated-etl-ca-bundle, mountPath: /etc/federated-etl/ca, readOnly: true }
  {{- end }}
  {{- with .root.Values.temporal.tls.clientSecret }}
  - { name: federated-etl-temporal-client, mountPath: /etc/federated-etl/temporal/client, readOnly: true }
  {{- end }}
  {{- with .root.Values.temporal.tls.caSecret }}
  - { name: federated-etl-temporal-ca, mountPath: /etc/federated-etl/temporal/ca, readOnly: true }
  {{- end }}
  {{- with .root.Values.temporal.encryptionKeys.secret }}
  - { name: federated-etl-temporal-keys, mountPath: /etc/federated-etl/temporal/keys, readOnly: true }
  {{- end }}
  {{- with concat .mounts .root.Values.pods.volumeMounts }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  runAsNonRoot: true
  {{- /* Set here and not in the pod, which may belong to somebody else. */}}
  {{- with .root.Values.pods.runAs.user }}
  runAsUser: {{ int64 . }}
  {{- end }}
  {{- with .root.Values.pods.runAs.group }}
  runAsGroup: {{ int64 . }}
  {{- end }}
  capabilities: { drop: [ALL] }
  seccompProfile: { type: RuntimeDefault }
resources: {{- toYaml .resources | nindent 2 }}
{{- end -}}

{{/*
Ports and probes of a process that runs roles. `roles` as above. A sidecar has no readiness of its own: one that waits for
Temporal must not take the cost-model out of its service.
*/}}
{{- define "federated-etl.serving" -}}
ports:
  - { name: health, containerPort: {{ .healthPort | default 9004 }} }
  {{- if and (has "primaryCluster" .roles) (include "federated-etl.servesApi" .root) }}
  - { name: api, containerPort: 9003 }
  {{- end }}
startupProbe:
  httpGet: { path: /healthz, port: health }
  periodSeconds: 2
  failureThreshold: 60
livenessProbe:
  httpGet: { path: /healthz, port: health }
  periodSeconds: 20
  timeoutSeconds: 10
  failureThreshold: 6
{{- if not .sidecar }}
readinessProbe:
  {{- /* A primary answers queries even while Temporal cannot be reached. */}}
  httpGet: { path: '/readyz{{ if has "primaryCluster" .roles }}?role=primaryCluster{{ end }}', port: health }
  periodSeconds: 10
  timeoutSeconds: 5
{{- end }}
{{- end -}}

{{- define "federated-etl.env" -}}
{{- $v := .root.Values -}}
{{- $env := list (dict "name" "FEDERATED_ETL_CONFIG" "value" "/etc/federated-etl/settings/federated-etl.yaml") -}}
{{- if and (has "primaryCluster" .roles) $v.api.token.secret -}}
{{- $env = append $env (dict "name" "FEDERATED_ETL_API_TOKEN" "valueFrom" (dict "secretKeyRef" (dict "name" $v.api.token.secret "key" $v.api.token.key))) -}}
{{- end -}}
{{- if or $v.temporal.tls.enabled $v.temporal.tls.clientSecret $v.temporal.tls.caSecret $v.temporal.tls.serverName -}}
{{- $env = append $env (dict "name" "TEMPORAL_TLS" "value" "true") -}}
{{- end -}}
{{- with $v.temporal.tls.serverName -}}
{{- $env = append $env (dict "name" "TEMPORAL_TLS_SERVER_NAME" "value" .) -}}
{{- end -}}
{{- with $v.temporal.tls.clientSecret -}}
{{- $env = append $env (dict "name" "TEMPORAL_TLS_CLIENT_CERT_PATH" "value" "/etc/federated-etl/temporal/client/tls.crt") -}}
{{- $env = append $env (dict "name" "TEMPORAL_TLS_CLIENT_KEY_PATH" "value" "/etc/federated-etl/temporal/client/tls.key") -}}
{{- end -}}
{{- with $v.temporal.tls.caSecret -}}
{{- $env = append $env (dict "name" "TEMPORAL_TLS_SERVER_CA_CERT_PATH" "value" "/etc/federated-etl/temporal/ca/ca.crt") -}}
{{- end -}}
{{- if $v.temporal.apiKey.secret -}}
{{- $env = append $env (dict "name" "TEMPORAL_API_KEY" "valueFrom" (dict "secretKeyRef" (dict "name" $v.temporal.apiKey.secret "key" $v.temporal.apiKey.key))) -}}
{{- end -}}
{{- if $v.temporal.codec.secret -}}
{{- $env = append $env (dict "name" "FEDERATED_ETL_TEMPORAL_CODEC_TOKEN" "valueFrom" (dict "secretKeyRef" (dict "name" $v.temporal.codec.secret "key" $v.temporal.codec.key))) -}}
{{- end -}}
{{- range $name, $value := $v.temporal.env -}}
{{- $env = append $env (dict "name" $name "value" $value) -}}
{{- end -}}
{{- if or $v.pods.caBundle.configMap $v.pods.caBundle.secret -}}
{{- $env = append $env (dict "name" "NODE_EXTRA_CA_CERTS" "value" (printf "/etc/federated-etl/ca/%s" $v.pods.caBundle.key)) -}}
{{- end -}}
{{- range $name, $value := dict "HTTPS_PROXY" $v.pods.proxy.https "HTTP_PROXY" $v.pods.proxy.http "NO_PROXY" $v.pods.proxy.noProxy -}}
{{- if $value }}{{ $env = append $env (dict "name" $name "value" $value) }}{{ end -}}
{{- end -}}
{{- /* Of two with one name, only the later one is rendered: Helm refuses to apply both. */ -}}
{{- $all := concat $env $v.pods.env .env -}}
{{- $kept := list -}}
{{- range $at, $one := $all -}}
{{- $again := false -}}
{{- range $later, $other := $all }}{{ if and (gt $later $at) (eq $other.name $one.name) }}{{ $again = true }}{{ end }}{{ end -}}
{{- if not $again }}{{ $kept = append $kept $one }}{{ end -}}
{{- end -}}
{{ toYaml $kept }}
{{- end -}}

{{- define "federated-etl.envFrom" -}}
{{- $from := .Values.pods.envFrom -}}
{{- with .Values.temporal.envSecret -}}
{{- $from = prepend $from (dict "secretRef" (dict "name" .)) -}}
{{- end -}}
{{- with $from }}{{ toYaml . }}{{ end -}}
{{- end -}}

{{/* The volumes of the container above. `settings` is the key of the settings in the ConfigMap. */}}
{{- define "federated-etl.volumes" -}}
{{- $v := .root.Values -}}
- name: federated-etl-settings
  configMap:
    name: {{ include "federated-etl.fullname" .root }}
    items: [{ key: {{ .component }}.yaml, path: federated-etl.yaml }]
- name: federated-etl-store
  secret: { secretName: {{ include "federated-etl.storeSecret" .root }}{{ if .sidecar }}, optional: true{{ end }} }
- name: federated-etl-tmp
  emptyDir: { sizeLimit: 4Gi }
{{- with $v.pods.caBundle.configMap }}
- name: federated-etl-ca-bundle
  configMap: { name: {{ . }} }
{{- end }}
{{- with $v.pods.caBundle.secret }}
- name: federated-etl-ca-bundle
  secret: { secretName: {{ . }} }
{{- end }}
{{- with $v.temporal.tls.clientSecret }}
- name: federated-etl-temporal-client
  secret: { secretName: {{ . }}{{ if $.sidecar }}, optional: true{{ end }} }
{{- end }}
{{- with $v.temporal.tls.caSecret }}
- name: federated-etl-temporal-ca
  secret: { secretName: {{ . }}{{ if $.sidecar }}, optional: true{{ end }} }
{{- end }}
{{- with $v.temporal.encryptionKeys.secret }}
- name: federated-etl-temporal-keys
  secret: { secretName: {{ . }}{{ if $.sidecar }}, optional: true{{ end }} }
{{- end }}
{{- with concat .volumes $v.pods.volumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Common parts of our pods, besides containers and volumes. */}}
{{- define "federated-etl.podSpec" -}}
serviceAccountName: {{ include "federated-etl.serviceAccount" . }}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .Values.pods.imagePullSecrets }}
imagePullSecrets: {{- toYaml . | nindent 2 }}
{{- end }}
terminationGracePeriodSeconds: {{ int64 .Values.pods.terminationGracePeriodSeconds }}
securityContext:
  runAsNonRoot: true
  {{- with .Values.pods.runAs.fsGroup }}
  fsGroup: {{ int64 . }}
  {{- end }}
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: { type: RuntimeDefault }
{{- end -}}

{{/* Labels and annotations of a pod. A change of the settings restarts the pod. */}}
{{- define "federated-etl.podMetadata" -}}
labels:
  {{- include "federated-etl.podLabels" . | nindent 2 }}
  {{- with .root.Values.pods.labels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
annotations:
  checksum/settings: {{ include "federated-etl.settings" . | sha256sum }}
  {{- with .root.Values.kubecostModel.federatedStorageConfig }}
  checksum/store: {{ toString . | sha256sum }}
  {{- end }}
  kubectl.kubernetes.io/default-container: {{ .component }}
  {{- with .root.Values.pods.annotations }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}

{{/* Mounts and volumes of a Federated or Primary Cluster. */}}
{{- define "federated-etl.etlMounts" -}}
{{- $v := .Values -}}
{{- $etl := dict "name" "etl" "mountPath" $v.localEtl.volume.mountPath -}}
{{- with $v.localEtl.volume.subPath }}{{ $_ := set $etl "subPath" . }}{{ end -}}
{{- $mounts := list $etl -}}
{{- if and $v.federatedETL.primaryCluster $v.query.volume.size -}}
{{- $mounts = append $mounts (dict "name" "query" "mountPath" "/var/lib/federated-etl/query") -}}
{{- end -}}
{{- if and $v.federatedETL.primaryCluster $v.api.readTokens.secret -}}
{{- $mounts = append $mounts (dict "name" "read-tokens" "mountPath" "/etc/federated-etl/read-tokens" "readOnly" true) -}}
{{- end -}}
{{- dict "mounts" $mounts | toJson -}}
{{- end -}}

{{- define "federated-etl.etlVolumes" -}}
{{- $v := .Values -}}
{{- $etl := merge (dict "name" "etl") (deepCopy $v.localEtl.volume.source) -}}
{{- with include "federated-etl.etlClaim" . }}{{ $_ := set $etl "persistentVolumeClaim" (dict "claimName" .) }}{{ end -}}
{{- $volumes := list $etl -}}
{{- if and $v.federatedETL.primaryCluster $v.query.volume.size -}}
{{- $claim := printf "%s-query" (include "federated-etl.fullname" .) -}}
{{- $volumes = append $volumes (dict "name" "query" "persistentVolumeClaim" (dict "claimName" $claim)) -}}
{{- end -}}
{{- if and $v.federatedETL.primaryCluster $v.api.readTokens.secret -}}
{{- $volumes = append $volumes (dict "name" "read-tokens" "secret" (dict "secretName" $v.api.readTokens.secret)) -}}
{{- end -}}
{{- dict "volumes" $volumes | toJson -}}
{{- end -}}

{{/* Where a cluster's pod is scheduled: next to the pod that holds a ReadWriteOnce claim, if one is named. */}}
{{- define "federated-etl.clusterAffinity" -}}
{{- $affinity := deepCopy .Values.pods.affinity -}}
{{- with .Values.localEtl.volume.sameNodeAs -}}
{{- $term := dict "topologyKey" "kubernetes.io/hostname" "labelSelector" (dict "matchLabels" .) -}}
{{- $pod := $affinity.podAffinity | default dict -}}
{{- $terms := append ($pod.requiredDuringSchedulingIgnoredDuringExecution | default list) $term -}}
{{- $_ := set $pod "requiredDuringSchedulingIgnoredDuringExecution" $terms -}}
{{- $_ := set $affinity "podAffinity" $pod -}}
{{- end -}}
{{ toYaml $affinity }}
{{- end -}}
