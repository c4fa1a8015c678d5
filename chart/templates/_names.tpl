{{/* The base name of all objects of a release. */}}
{{- define "federated-etl.fullname" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 45 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 45 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* Labels that select pods: they never change. Called with the root and a component. */}}
{{- define "federated-etl.selector" -}}
app.kubernetes.io/name: {{ .root.Chart.Name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{/* Labels of pods: without the chart's version, so that a new version does not restart pods that it does not change. */}}
{{- define "federated-etl.podLabels" -}}
{{ include "federated-etl.selector" . }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
app.kubernetes.io/part-of: federated-etl
{{- end -}}

{{- define "federated-etl.labels" -}}
{{ include "federated-etl.podLabels" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "federated-etl.serviceAccount" -}}
{{- if .Values.pods.serviceAccount.name -}}
{{- .Values.pods.serviceAccount.name -}}
{{- else -}}
{{- ternary (include "federated-etl.fullname" .) "default" .Values.pods.serviceAccount.create -}}
{{- end -}}
{{- end -}}

{{- define "federated-etl.image" -}}
{{- with .Values.pods.image -}}
{{- if .digest -}}
{{ .repository }}@{{ .digest }}
{{- else -}}
{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* `true` if this cluster has its own pod: it is federated or primary, and not a sidecar. */}}
{{- define "federated-etl.hasCluster" -}}
{{- if and (or .Values.federatedETL.federatedCluster .Values.federatedETL.primaryCluster) (not .Values.localEtl.sidecar.enabled) }}true{{ end -}}
{{- end -}}

{{/* `true` if the API can be reached from outside its pod. */}}
{{- define "federated-etl.servesApi" -}}
{{- if and .Values.federatedETL.primaryCluster (or .Values.api.token.secret .Values.api.readTokens.secret .Values.api.openRead) }}true{{ end -}}
{{- end -}}

{{/* The host names of the API's service and ingress, if reading needs no token: the primary then checks them. */}}
{{- define "federated-etl.ownHosts" -}}
{{- $hosts := list -}}
{{- if and .Values.federatedETL.primaryCluster .Values.api.openRead -}}
{{- $name := include "federated-etl.fullname" . -}}
{{- $full := printf "%s.%s" $name .Release.Namespace -}}
{{- $hosts = list $name $full (printf "%s.svc" $full) (printf "%s.svc.cluster.local" $full) -}}
{{- if .Values.api.ingress.enabled }}{{ $hosts = append $hosts .Values.api.ingress.host }}{{ end -}}
{{- end -}}
{{- dict "hosts" $hosts | toJson -}}
{{- end -}}

{{/* The claim of the ETL volume, if any. */}}
{{- define "federated-etl.etlClaim" -}}
{{- if .Values.localEtl.volume.existingClaim -}}
{{- .Values.localEtl.volume.existingClaim -}}
{{- else if not .Values.localEtl.volume.source -}}
{{- include "federated-etl.fullname" . }}-etl
{{- end -}}
{{- end -}}

{{/* The secret with the bucket, and the setting that names its file; the existing configuration only when asked for. */}}
{{- define "federated-etl.storeSecret" -}}
{{- if .Values.federatedETL.useExistingS3Config -}}
{{- .Values.kubecostModel.etlBucketConfigSecret -}}
{{- else if .Values.kubecostModel.federatedStorageConfig -}}
{{- include "federated-etl.fullname" . }}-store
{{- else -}}
{{- .Values.kubecostModel.federatedStorageConfigSecret -}}
{{- end -}}
{{- end -}}

{{- define "federated-etl.storeKey" -}}
{{- ternary "object-store.yaml" "federated-store.yaml" .Values.federatedETL.useExistingS3Config -}}
{{- end -}}

{{/* The file's path in a pod. The folder has the secret's name, so that an error about a missing file shows where to look. */}}
{{- define "federated-etl.storeFolder" -}}
/etc/federated-etl/secrets/{{ include "federated-etl.storeSecret" . }}
{{- end -}}

{{/* The dev server's name: a StatefulSet's name becomes part of a label of its pods. */}}
{{- define "federated-etl.devServer" -}}
{{- printf "%s-temporal-dev" (include "federated-etl.fullname" . | trunc 39 | trimSuffix "-") -}}
{{- end -}}

{{/* Every key for a cluster id in Kubecost's values, in order of precedence. */}}
{{- define "federated-etl.clusterIds" -}}
{{- $v := .Values -}}
{{- $found := list -}}
{{- range $path, $value := dict
  "1 clusterId" $v.clusterId
  "2 global.clusterId" (($v.global).clusterId)
  "3 prometheus.server.global.external_labels.cluster_id" ((((($v.prometheus).server).global).external_labels).cluster_id)
  "4 kubecostProductConfigs.clusterName" $v.kubecostProductConfigs.clusterName
-}}
{{- if and $value (not (kindIs "string" $value)) }}{{ fail (printf "%s is no text to YAML: write it in quotes." (substr 2 -1 $path)) }}{{ end -}}
{{- if $value }}{{ $found = append $found (dict "path" (substr 2 -1 $path) "id" $value) }}{{ end -}}
{{- end -}}
{{- dict "found" $found | toJson -}}
{{- end -}}

{{- define "federated-etl.clusterId" -}}
{{- with (include "federated-etl.clusterIds" . | fromJson).found }}{{ (first .).id }}{{ end -}}
{{- end -}}
