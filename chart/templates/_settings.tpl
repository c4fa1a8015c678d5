{{/*
The settings file of a process (docs/reference/settings.md), from the values of the same names. Called with the root, the
roles of the process, and its `healthPort` where that is another than 9004.
*/}}
{{- define "federated-etl.settings" -}}
{{- $v := .root.Values -}}
{{- $store := printf "%s/%s" (include "federated-etl.storeFolder" .root) (include "federated-etl.storeKey" .root) -}}
{{- $federatedETL := dict "useExistingS3Config" $v.federatedETL.useExistingS3Config -}}
{{- range .roles }}{{ if ne . "federator" }}{{ $_ := set $federatedETL . true }}{{ end }}{{ end -}}
{{- if has "federator" .roles -}}
{{- $federator := dict "enabled" true -}}
{{- range list "clusters" "clustersMode" "includeClusters" "excludeClusters" "federationCutoffDate" "firstRunAfter" "runEvery" "generations" "retention" "quarantine" "federateOnPush" -}}
{{- $value := index $v.federatedETL.federator . -}}
{{- if $value }}{{ $_ := set $federator . $value }}{{ end -}}
{{- end -}}
{{- $_ := set $federatedETL "federator" $federator -}}
{{- end -}}
{{- $settings := dict
  "clusterId" (include "federated-etl.clusterId" .root)
  "federatedETL" $federatedETL
  "storage" (dict (ternary "existingConfigFile" "configFile" $v.federatedETL.useExistingS3Config) $store)
  "temporal" (include "federated-etl.temporalSettings" .root | fromYaml)
  "health" (dict "listen" (printf ":%d" (int (.healthPort | default 9004))))
  "log" (dict "level" $v.log.level "format" $v.log.format)
-}}
{{- if or (has "federatedCluster" .roles) (has "primaryCluster" .roles) -}}
{{- $local := dict -}}
{{- range list "path" "pullPath" "backupPath" "rescanEvery" "pullEvery" -}}
{{- $value := index $v.localEtl . -}}
{{- if $value }}{{ $_ := set $local . $value }}{{ end -}}
{{- end -}}
{{- $_ := set $settings "localEtl" $local -}}
{{- end -}}
{{- if has "primaryCluster" .roles -}}
{{- $listen := ternary ":9003" "127.0.0.1:9003" (eq (include "federated-etl.servesApi" .root) "true") -}}
{{- $api := dict "listen" $listen "openRead" $v.api.openRead "currency" $v.api.currency "utcOffset" $v.api.utcOffset "assets" $v.api.assets -}}
{{- if $v.api.readTokens.secret }}{{ $_ := set $api "readTokensPath" "/etc/federated-etl/read-tokens" }}{{ end -}}
{{- with $v.api.origins }}{{ $_ := set $api "origins" . }}{{ end -}}
{{- with concat (include "federated-etl.ownHosts" .root | fromJson).hosts $v.api.hosts | uniq }}{{ $_ := set $api "hosts" . }}{{ end -}}
{{- with $v.api.aliases }}{{ $_ := set $api "aliases" . }}{{ end -}}
{{- with $v.api.limits }}{{ $_ := set $api "limits" . }}{{ end -}}
{{- $query := dict "memory" $v.query.memory "threads" $v.query.threads -}}
{{- if $v.query.volume.size }}{{ $_ := set $query "path" "/var/lib/federated-etl/query" }}{{ end -}}
{{- $_ := set $settings "api" $api -}}
{{- $_ := set $settings "query" $query -}}
{{- $_ := set $settings "export" (dict "enabled" $v.export.enabled "format" $v.export.format) -}}
{{- end -}}
{{ toYaml $settings }}
{{- end -}}

{{- define "federated-etl.temporalSettings" -}}
{{- $v := .Values.temporal -}}
{{- with ternary (printf "%s:7233" (include "federated-etl.devServer" .)) $v.address $v.devServer.enabled }}
address: {{ . }}
{{- end }}
namespace: {{ $v.namespace }}
{{- with $v.idPrefix }}
idPrefix: {{ . }}
{{- end }}
{{- with $v.uiUrl }}
uiUrl: {{ . }}
{{- end }}
{{- if $v.encryptionKeys.secret }}
encryptionKeys: /etc/federated-etl/temporal/keys/{{ $v.encryptionKeys.key }}
{{- end }}
{{- if $v.codec.secret }}
codec:
  listen: 127.0.0.1:9005
  {{- with $v.codec.origins }}
  origins: {{ toJson . }}
  {{- end }}
{{- end }}
{{- end -}}

{{/* The roles of the pod of a Federated or Primary Cluster. */}}
{{- define "federated-etl.clusterRoles" -}}
{{- $roles := list -}}
{{- if .Values.federatedETL.federatedCluster }}{{ $roles = append $roles "federatedCluster" }}{{ end -}}
{{- if .Values.federatedETL.primaryCluster }}{{ $roles = append $roles "primaryCluster" }}{{ end -}}
{{- dict "roles" $roles | toJson -}}
{{- end -}}
