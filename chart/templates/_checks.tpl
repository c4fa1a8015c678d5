{{/* Refuses values that contradict each other, with a sentence that names them. Rendered once, by settings.yaml. */}}
{{- define "federated-etl.checks" -}}
{{- $v := .Values -}}
{{- $etl := $v.federatedETL -}}
{{- $federator := $etl.federator -}}
{{- $model := $v.kubecostModel -}}
{{- $clusterRole := or $etl.federatedCluster $etl.primaryCluster -}}

{{- if not (or $clusterRole $federator.enabled) -}}
{{- fail "This cluster has no role: set federatedETL.federatedCluster, federatedETL.federator.enabled or federatedETL.primaryCluster, or several of them." -}}
{{- end -}}

{{- $id := include "federated-etl.clusterId" . -}}
{{- if not $id -}}
{{- fail "There is no cluster id: set clusterId (or kubecostProductConfigs.clusterName) to an id that no other cluster of the federation has." -}}
{{- end -}}
{{- if eq $id "combined" -}}
{{- fail "The cluster id cannot be combined: federated/combined is where the Federator writes. Set clusterId to another id." -}}
{{- end -}}
{{- if or (gt (len $id) 240) (contains "/" $id) (contains "\\" $id) (contains ".." $id) (regexMatch "[[:cntrl:]]" $id) (hasSuffix "." $id) (hasPrefix ".tmp-" $id) (hasPrefix ".meta-" $id) (eq $id "__proto__") -}}
{{- fail (printf "The cluster id %q cannot be a folder: clusterId takes 1 to 240 bytes without /, \\, .., a dot at the end and control characters." $id) -}}
{{- end -}}

{{- if and $model.federatedStorageConfig $model.federatedStorageConfigSecret -}}
{{- fail "kubecostModel.federatedStorageConfig and kubecostModel.federatedStorageConfigSecret are both set: keep the one that describes the bucket." -}}
{{- end -}}
{{- if and $etl.useExistingS3Config (not $model.etlBucketConfigSecret) -}}
{{- fail "federatedETL.useExistingS3Config is set, but kubecostModel.etlBucketConfigSecret is not: name the secret whose object-store.yaml is to be used." -}}
{{- end -}}
{{- if not (include "federated-etl.storeSecret" .) -}}
{{- if ($v.global).federatedStorage -}}
{{- fail "global.federatedStorage is of Kubecost 3 and not read: name its secret, with the key federated-store.yaml, in kubecostModel.federatedStorageConfigSecret." -}}
{{- end -}}
{{- $other := ternary " (kubecostModel.etlBucketConfigSecret is only used with federatedETL.useExistingS3Config)" "" (not (empty $model.etlBucketConfigSecret)) -}}
{{- fail (printf "No role works without storage: set kubecostModel.federatedStorageConfigSecret to a secret with the key federated-store.yaml%s." $other) -}}
{{- end -}}
{{- $secret := include "federated-etl.storeSecret" . -}}
{{- $key := include "federated-etl.storeKey" . -}}
{{- $there := lookup "v1" "Secret" .Release.Namespace $secret -}}
{{- if and $there (not $model.federatedStorageConfig) (not (hasKey ($there.data | default dict) $key)) -}}
{{- fail (printf "The secret %s has no key %s: make it with kubectl create secret generic %s -n %s --from-file=%s." $secret $key $secret .Release.Namespace $key) -}}
{{- end -}}

{{- if and $federator.enabled $federator.clusters (not $federator.clustersMode) -}}
{{- fail "federatedETL.federator.clusters is ambiguous: the guide means clusters to leave out, Kubecost's charts meant the only ones to take. Set federatedETL.federator.clustersMode to exclude or include, or use excludeClusters or includeClusters." -}}
{{- end -}}
{{- if and $federator.clusters (or $federator.includeClusters $federator.excludeClusters) -}}
{{- fail "federatedETL.federator.clusters is set beside includeClusters or excludeClusters, which would make it void: put all into one of them." -}}
{{- end -}}
{{- range $federator.excludeClusters -}}
{{- if has . $federator.includeClusters -}}
{{- fail (printf "The cluster %s is in federatedETL.federator.includeClusters and in federatedETL.federator.excludeClusters: take it out of one." .) -}}
{{- end -}}
{{- end -}}

{{- if and $v.temporal.codec.secret (not $v.temporal.encryptionKeys.secret) -}}
{{- fail "temporal.codec.secret is set, but temporal.encryptionKeys.secret is not: there is nothing to decrypt." -}}
{{- end -}}
{{- if and $v.temporal.codec.origins (not $v.temporal.codec.secret) -}}
{{- fail "temporal.codec.origins is set, but temporal.codec.secret is not: the codec endpoint needs a token." -}}
{{- end -}}
{{- if and $v.temporal.address $v.temporal.devServer.enabled -}}
{{- fail "temporal.address and temporal.devServer.enabled are both set: use the server that there is, or, for trying out, the dev server." -}}
{{- end -}}
{{- if and (ne $v.temporal.devServer.serviceType "ClusterIP") (not $v.temporal.devServer.open) -}}
{{- fail (printf "temporal.devServer.serviceType %s lets anybody who reaches it steer the federation, as a development server asks nobody who he is: say temporal.devServer.open, or use a Temporal server of your own." $v.temporal.devServer.serviceType) -}}
{{- end -}}
{{- if not (or $v.temporal.address $v.temporal.devServer.enabled $v.temporal.env.TEMPORAL_ADDRESS $v.temporal.envSecret) -}}
{{- fail "There is no Temporal server: set temporal.address, or, for trying out, temporal.devServer.enabled." -}}
{{- end -}}

{{- if and $v.localEtl.volume.existingClaim $v.localEtl.volume.source -}}
{{- fail "localEtl.volume.existingClaim and localEtl.volume.source are both set: keep the one that holds the local ETL." -}}
{{- end -}}
{{- if and $etl.federatedCluster (not (or $v.localEtl.volume.existingClaim $v.localEtl.volume.source $v.localEtl.sidecar.enabled)) -}}
{{- fail "A Federated Cluster pushes what its cost-model builds: set localEtl.volume.existingClaim to the claim of the cost-model, localEtl.volume.source to another volume, or localEtl.sidecar.enabled." -}}
{{- end -}}
{{- if and $v.localEtl.volume.sameNodeAs (not (or $v.localEtl.volume.existingClaim $v.localEtl.volume.source)) -}}
{{- fail "localEtl.volume.sameNodeAs is set, but the volume is this release's own: set it to null, or name the volume of that pod in localEtl.volume.existingClaim." -}}
{{- end -}}
{{- if $clusterRole -}}
{{- $mounted := list $v.localEtl.volume.mountPath -}}
{{- range $v.pods.volumeMounts }}{{ $mounted = append $mounted .mountPath }}{{ end -}}
{{- range $key := list "path" "pullPath" "backupPath" -}}
{{- $path := index $v.localEtl $key -}}
{{- $found := empty $path -}}
{{- range $mounted }}{{ if or (eq $path .) (hasPrefix (printf "%s/" (trimSuffix "/" .)) $path) }}{{ $found = true }}{{ end }}{{ end -}}
{{- if not $found -}}
{{- fail (printf "localEtl.%s (%s) is on no volume: it has to be below localEtl.volume.mountPath (%s)." $key $path $v.localEtl.volume.mountPath) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if $v.localEtl.sidecar.enabled -}}
{{- if $etl.primaryCluster -}}
{{- fail "localEtl.sidecar.enabled is for a cluster that is federated only: a primary (federatedETL.primaryCluster) has a pod of its own." -}}
{{- end -}}
{{- if not $etl.federatedCluster -}}
{{- fail "localEtl.sidecar.enabled is set, but federatedETL.federatedCluster is not: there is nothing to push." -}}
{{- end -}}
{{- end -}}

{{- $outside := ternary "api.ingress.enabled" (printf "api.service.type %s" $v.api.service.type) $v.api.ingress.enabled -}}
{{- if or $v.api.ingress.enabled (ne $v.api.service.type "ClusterIP") -}}
{{- if not $etl.primaryCluster -}}
{{- fail (printf "%s serves the API, which only a primary has: set federatedETL.primaryCluster, or take it away." $outside) -}}
{{- end -}}
{{- if not (include "federated-etl.servesApi" .) -}}
{{- fail (printf "%s makes the costs of all clusters readable from outside: set api.token.secret or api.readTokens.secret, or say api.openRead." $outside) -}}
{{- end -}}
{{- end -}}
{{- if and $v.api.ingress.enabled (not $v.api.ingress.host) -}}
{{- fail "api.ingress.enabled is set, but api.ingress.host is not." -}}
{{- end -}}

{{- range $label, $_ := $v.pods.labels -}}
{{- if hasPrefix "app.kubernetes.io/" $label -}}
{{- fail (printf "pods.labels has %s, by which the chart selects its pods: use another label." $label) -}}
{{- end -}}
{{- end -}}
{{- $ours := list "clusterId" "kubecostProductConfigs" "kubecostModel" "federatedETL" "localEtl" "temporal" "api" "query" "export" "log" "metrics" "pods" -}}
{{- range $key, $_ := $v.AsMap -}}
{{- range $ours -}}
{{- if and (ne $key .) (eq (lower $key) (lower .)) -}}
{{- fail (printf "There is no key %s: it is written %s." $key .) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- if and $v.pods.caBundle.configMap $v.pods.caBundle.secret -}}
{{- fail "pods.caBundle.configMap and pods.caBundle.secret are both set: keep one." -}}
{{- end -}}
{{- end -}}
