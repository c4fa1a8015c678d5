{{/*
The alerts of docs/reference/metrics.md: those of the roles that this release has, about its namespace. What never
succeeded has no time of it, so the start of the role is used instead.
*/}}
{{- define "federated-etl.rules" -}}
{{- $ns := printf "namespace=%q" .Release.Namespace -}}
{{- $v := .Values -}}
- alert: FederatedEtlNotReady
  expr: federated_etl_role_ready{ {{- $ns -}} } == 0
  for: 15m
  labels: { severity: critical }
  annotations:
    summary: The role {{ "{{ $labels.role }}" }} of {{ "{{ $labels.pod }}" }} does not work. Its /readyz says what it waits for.
{{- range $role, $has := dict "federatedCluster" $v.federatedETL.federatedCluster "federator" $v.federatedETL.federator.enabled "primaryCluster" $v.federatedETL.primaryCluster }}
{{- if $has }}
- alert: FederatedEtlAbsent
  expr: absent(federated_etl_role_ready{ {{- $ns }}, role={{ $role | quote -}} })
  for: 15m
  labels: { severity: critical, role: {{ $role }} }
  annotations:
    summary: Nothing with the role {{ $role }} is seen in {{ $.Release.Namespace }}.
{{- end }}
{{- end }}
{{- if $v.federatedETL.federatedCluster }}
- alert: FederatedEtlPushStale
  expr: >-
    time() - max by (namespace) (federated_etl_activity_last_success_timestamp_seconds{ {{- $ns }}, activity="pushLocalEtl"}
    or federated_etl_role_since_timestamp_seconds{ {{- $ns }}, role="federatedCluster"}) > 3600
  labels: { severity: warning }
  annotations:
    summary: The Federated Cluster in {{ .Release.Namespace }} has pushed nothing for an hour. See its log, and federated-etl doctor.
- alert: FederatedEtlFilesRefused
  expr: federated_etl_push_files{ {{- $ns }}, state="refused"} > 0
  for: 30m
  labels: { severity: warning }
  annotations:
    summary: Files of a local ETL are not pushed. The log of {{ "{{ $labels.pod }}" }} names each and why.
{{- end }}
{{- if $v.federatedETL.federator.enabled }}
{{- $every := include "federated-etl.seconds" $v.federatedETL.federator.runEvery | int64 }}
{{- $stale := max (mul 3 $every) 900 }}
- alert: FederatedEtlFederationsFail
  # The next run has had its time to succeed.
  expr: >-
    max by (namespace) (federated_etl_last_federation_timestamp_seconds{ {{- $ns }}, outcome="failed"})
    > (max by (namespace) (federated_etl_last_successful_federation_timestamp_seconds{ {{- $ns -}} })
    or 0 * max by (namespace) (federated_etl_last_federation_timestamp_seconds{ {{- $ns }}, outcome="failed"}))
  for: {{ add $every 600 }}s
  labels: { severity: critical }
  annotations:
    summary: Federations of {{ .Release.Namespace }} fail. See federated-etl runs --failed, and replay them.
- alert: FederatedEtlFederationStale
  # Before the first success, the earliest start of a federator counts, so that one that restarts again and again is
  # noticed.
  expr: >-
    time() - (max by (namespace) (max_over_time(federated_etl_last_successful_federation_timestamp_seconds{ {{- $ns -}} }[{{ $stale }}s]))
    or min by (namespace) (min_over_time(federated_etl_role_since_timestamp_seconds{ {{- $ns }}, role="federator"}[{{ $stale }}s]))) > {{ $stale }}
  labels: { severity: critical }
  annotations:
    summary: No federation has succeeded for three intervals of {{ $v.federatedETL.federator.runEvery }}. See federated-etl status, and the schedule in the Temporal UI.
- alert: FederatedEtlSourcesQuarantined
  expr: max by (namespace) (federated_etl_generation_quarantined{ {{- $ns -}} }) > 0
  for: 1h
  labels: { severity: warning }
  annotations:
    summary: Sources are quarantined; the clusters' last good data is used instead, where there is any. See federated-etl quarantine.
- alert: FederatedEtlOnHold
  expr: max by (namespace) (federated_etl_on_hold{ {{- $ns -}} }) > 0
  for: 24h
  labels: { severity: warning }
  annotations:
    summary: A rollback has held the federation for a day, so nothing is committed. See federated-etl status, and end the hold with federated-etl federate --resume.
{{- end }}
{{- if $v.federatedETL.primaryCluster }}
- alert: FederatedEtlPrimaryBehind
  expr: >-
    time() - max by (namespace) (federated_etl_activity_last_success_timestamp_seconds{ {{- $ns }}, activity="pullCombined"}
    or federated_etl_role_since_timestamp_seconds{ {{- $ns }}, role="primaryCluster"}) > 3600
    unless on (namespace) federated_etl_pull_state{ {{- $ns }}, state="left"} == 1
  labels: { severity: warning }
  annotations:
    summary: The primary in {{ .Release.Namespace }} has pulled nothing for an hour. See federated-etl primary status.
- alert: FederatedEtlPrimaryRefuses
  expr: federated_etl_pull_state{ {{- $ns }}, state="refused"} == 1
  for: 15m
  labels: { severity: critical }
  annotations:
    summary: The bucket is another one, was emptied or restored, so the primary in {{ .Release.Namespace }} pulls nothing and serves what it has. See federated-etl primary status.
- alert: FederatedEtlGenerationRefused
  expr: federated_etl_generation_refused{ {{- $ns -}} } > 0
  for: 15m
  labels: { severity: critical }
  annotations:
    summary: The primary cannot serve the newest generation and goes on serving the one before. Its page says why.
- alert: FederatedEtlClusterSilent
  expr: federated_etl_cluster_data_age_seconds{ {{- $ns -}} } > 2 * 86400
  labels: { severity: warning }
  annotations:
    summary: The newest data of cluster {{ "{{ $labels.cluster_id }}" }} is older than two days. See its push, or exclude it.
{{- end }}
{{- end -}}

{{/* Returns a duration of the settings, such as 30m, in whole seconds. */}}
{{- define "federated-etl.seconds" -}}
{{- $unit := dict "ms" 0.001 "s" 1.0 "m" 60.0 "h" 3600.0 "d" 86400.0 "w" 604800.0 -}}
{{- ceil (mulf (regexFind "^[0-9.]+" . | float64) (get $unit (regexFind "[a-z]+$" .))) | int64 -}}
{{- end -}}
