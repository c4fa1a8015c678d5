{{/* The alerts of docs/reference/metrics.md: those of the roles that this release has. */}}
{{- define "federated-etl.rules" -}}
{{- if .Values.federatedETL.federatedCluster -}}
- alert: FederatedEtlPushStale
  expr: time() - federated_etl_activity_last_success_timestamp_seconds{activity="pushLocalEtl"} > 3600
  labels: { severity: warning }
  annotations:
    summary: A Federated Cluster has pushed nothing for an hour. See its log, and federated-etl doctor.
- alert: FederatedEtlFilesRefused
  expr: federated_etl_push_files{state="refused"} > 0
  for: 30m
  labels: { severity: warning }
  annotations:
    summary: Files of a local ETL are not pushed. The cluster's log names each and why.
{{ end -}}
{{- if .Values.federatedETL.federator.enabled -}}
- alert: FederatedEtlFederationsFail
  expr: increase(federated_etl_federations_total{outcome="failed"}[2h]) > 1
  labels: { severity: critical }
  annotations:
    summary: Federations fail. See federated-etl runs --failed, and replay them.
- alert: FederatedEtlFederationStale
  expr: time() - federated_etl_activity_last_success_timestamp_seconds{activity="commitGeneration"} > 7200
  labels: { severity: critical }
  annotations:
    summary: Nothing was federated for two hours. See federated-etl status, and the schedule in the Temporal UI.
- alert: FederatedEtlSourcesHeld
  expr: federated_etl_generation_problems > 0
  for: 1h
  labels: { severity: warning }
  annotations:
    summary: Sources are refused or held; the clusters' last good data stands in for them. See federated-etl quarantine.
{{ end -}}
{{- if .Values.federatedETL.primaryCluster -}}
- alert: FederatedEtlPrimaryBehind
  expr: time() - federated_etl_activity_last_success_timestamp_seconds{activity="pullCombined"} > 3600
  labels: { severity: warning }
  annotations:
    summary: The primary has pulled nothing for an hour. See federated-etl primary status.
- alert: FederatedEtlGenerationRefused
  expr: federated_etl_generation_refused > 0
  for: 15m
  labels: { severity: critical }
  annotations:
    summary: The primary cannot serve the newest generation and goes on serving the one before. Its page says why.
- alert: FederatedEtlClusterSilent
  expr: federated_etl_cluster_data_age_seconds > 2 * 86400
  labels: { severity: warning }
  annotations:
    summary: The newest data of cluster {{ "{{ $labels.cluster }}" }} is older than two days. See its push, or exclude it.
{{ end -}}
{{- end -}}
