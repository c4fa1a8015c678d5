{{/*
The alerts of docs/reference/metrics.md: those of the roles that this release has, about its namespace. Processes may
restart at any time, so all times come from Temporal and the bucket, and no condition is forgotten while its process is
away for a few minutes. Each alert names the section of docs/guides/operating.md that says what to do.
*/}}
{{- define "federated-etl.rules" -}}
{{- $ns := printf "namespace=%q" .Release.Namespace -}}
{{- $v := .Values -}}
{{- $runbook := $v.metrics.rules.runbook -}}
- alert: FederatedEtlNotReady
  expr: max by (namespace, pod, role) (max_over_time(federated_etl_role_ready{ {{- $ns -}} }[15m])) == 0
  for: 15m
  labels: { severity: critical }
  annotations:
    summary: The role {{ "{{ $labels.role }}" }} of {{ "{{ $labels.pod }}" }} does not work. Its /readyz says what it waits for.
    runbook_url: {{ $runbook }}#a-role-does-not-work
{{- range $role, $has := dict "federatedCluster" $v.federatedETL.federatedCluster "federator" $v.federatedETL.federator.enabled "primaryCluster" $v.federatedETL.primaryCluster }}
{{- if $has }}
- alert: FederatedEtlAbsent
  expr: absent(federated_etl_role_ready{ {{- $ns }}, role={{ $role | quote -}} })
  for: 15m
  labels: { severity: critical, role: {{ $role }} }
  annotations:
    summary: Nothing with the role {{ $role }} is seen in {{ $.Release.Namespace }}.
    runbook_url: {{ $runbook }}#a-role-does-not-work
{{- end }}
{{- end }}
- alert: FederatedEtlRestarts
  expr: max by (namespace, pod) (changes(federated_etl_role_since_timestamp_seconds{ {{- $ns -}} }[1h])) >= 3
  labels: { severity: critical }
  annotations:
    summary: The process in {{ "{{ $labels.pod }}" }} has restarted {{ "{{ $value }}" }} times within an hour. See the last lines of its previous log.
    runbook_url: {{ $runbook }}#a-process-keeps-restarting
- alert: FederatedEtlConditionFails
  # Freshness and export have alerts of their own, whose times do not depend on a process.
  expr: >-
    max by (namespace, pod, role, condition) (max_over_time(federated_etl_condition{ {{- $ns }}, condition=~"temporal|schedule|roster|store|disk"}[5m])) == 0
  for: 15m
  labels: { severity: warning }
  annotations:
    summary: The condition {{ "{{ $labels.condition }}" }} of the role {{ "{{ $labels.role }}" }} of {{ "{{ $labels.pod }}" }} does not hold. Its /readyz and federated-etl status say why.
    runbook_url: {{ $runbook }}#a-condition-does-not-hold
{{- if $v.federatedETL.federatedCluster }}
{{- $stale := max (mul 3 (include "federated-etl.seconds" $v.localEtl.rescanEvery | int64)) 3600 }}
- alert: FederatedEtlPushStale
  expr: >-
    time() - max by (namespace) (max_over_time(federated_etl_last_push_timestamp_seconds{ {{- $ns -}} }[{{ $stale }}s])) > {{ $stale }}
  labels: { severity: warning }
  annotations:
    summary: No push of the Federated Cluster in {{ .Release.Namespace }} has succeeded for {{ "{{ humanizeDuration $value }}" }}. See its log, and federated-etl doctor.
    runbook_url: {{ $runbook }}#a-cluster-is-silent
- alert: FederatedEtlFilesRefused
  expr: federated_etl_push_files{ {{- $ns }}, state="refused"} > 0
  for: 30m
  labels: { severity: warning }
  annotations:
    summary: Files of a local ETL are not pushed. The log of {{ "{{ $labels.pod }}" }} names each and why.
    runbook_url: {{ $runbook }}#files-are-not-pushed
{{- end }}
{{- if $v.federatedETL.federator.enabled }}
{{- $every := include "federated-etl.seconds" $v.federatedETL.federator.runEvery | int64 }}
{{- $stale := max (mul 3 $every) 900 }}
- alert: FederatedEtlFederationsFail
  # The next run has had its time to succeed.
  expr: >-
    max by (namespace) (max_over_time(federated_etl_last_federation_timestamp_seconds{ {{- $ns }}, outcome="failed"}[15m]))
    > (max by (namespace) (max_over_time(federated_etl_last_successful_federation_timestamp_seconds{ {{- $ns -}} }[15m]))
    or 0 * max by (namespace) (max_over_time(federated_etl_last_federation_timestamp_seconds{ {{- $ns }}, outcome="failed"}[15m])))
  for: {{ add $every (max (div $every 2) 600) }}s
  labels: { severity: critical }
  annotations:
    summary: Federations of {{ .Release.Namespace }} fail. See federated-etl runs --failed, and replay them.
    runbook_url: {{ $runbook }}#a-run-failed
- alert: FederatedEtlFederationStale
  # A run without changes succeeds, too, although it commits nothing. Before the first run, the schedule's age counts.
  expr: >-
    time() - max by (namespace) (max_over_time(federated_etl_last_successful_federation_timestamp_seconds{ {{- $ns -}} }[{{ $stale }}s])
    or max_over_time(federated_etl_schedule_since_timestamp_seconds{ {{- $ns -}} }[{{ $stale }}s])) > {{ $stale }}
  labels: { severity: critical }
  annotations:
    summary: No federation has succeeded for three intervals of {{ $v.federatedETL.federator.runEvery }}. See federated-etl status, and the schedule in the Temporal UI.
    runbook_url: {{ $runbook }}#nothing-runs
- alert: FederatedEtlSourcesQuarantined
  expr: max by (namespace) (max_over_time(federated_etl_generation_quarantined{ {{- $ns -}} }[15m])) > 0
  for: 1h
  labels: { severity: warning }
  annotations:
    summary: Sources are quarantined; the clusters' last good data is used instead, where there is any. See federated-etl quarantine.
    runbook_url: {{ $runbook }}#a-run-is-partial
- alert: FederatedEtlOnHold
  expr: max by (namespace) (max_over_time(federated_etl_on_hold{ {{- $ns -}} }[15m])) > 0
  for: 24h
  labels: { severity: warning }
  annotations:
    summary: A rollback has held the federation for a day, so nothing is committed. See federated-etl status, and end the hold with federated-etl federate --resume.
    runbook_url: {{ $runbook }}#numbers-are-wrong
{{- end }}
{{- if $v.federatedETL.primaryCluster }}
{{- $stale := max (mul 3 (include "federated-etl.seconds" $v.localEtl.pullEvery | int64)) 3600 }}
- alert: FederatedEtlPrimaryBehind
  expr: >-
    time() - max by (namespace) (max_over_time(federated_etl_last_pull_timestamp_seconds{ {{- $ns -}} }[{{ $stale }}s])) > {{ $stale }}
  labels: { severity: warning }
  annotations:
    summary: No pull of the primary in {{ .Release.Namespace }} has succeeded for {{ "{{ humanizeDuration $value }}" }}. See federated-etl primary status.
    runbook_url: {{ $runbook }}#a-primary-waits
- alert: FederatedEtlPrimaryRefuses
  expr: federated_etl_pull_state{ {{- $ns }}, state="refused"} == 1
  for: 15m
  labels: { severity: critical }
  annotations:
    summary: The bucket is another one, was emptied or restored, so the primary in {{ .Release.Namespace }} pulls nothing and serves what it has. See federated-etl primary status.
    runbook_url: {{ $runbook }}#another-bucket
- alert: FederatedEtlGenerationRefused
  expr: federated_etl_generation_refused{ {{- $ns -}} } > 0
  for: 15m
  labels: { severity: critical }
  annotations:
    summary: The primary cannot serve the newest generation and goes on serving the one before. Its page says why.
    runbook_url: {{ $runbook }}#the-api-has-no-room
{{- if $v.export.enabled }}
- alert: FederatedEtlExportFails
  expr: >-
    max by (namespace) (federated_etl_served_generation{ {{- $ns -}} })
    > (max by (namespace) (max_over_time(federated_etl_exported_generation{ {{- $ns -}} }[15m]))
    or 0 * max by (namespace) (federated_etl_served_generation{ {{- $ns -}} }))
  for: {{ $stale }}s
  labels: { severity: warning }
  annotations:
    summary: The export of the primary in {{ .Release.Namespace }} does not follow what it serves. See federated-etl status, and doctor.
    runbook_url: {{ $runbook }}#an-export-fails
{{- end }}
{{- end }}
{{- if or $v.federatedETL.federator.enabled $v.federatedETL.primaryCluster }}
- alert: FederatedEtlClusterSilent
  # The federator sees pushes, the primary sees data. They raise the same alert, also from two releases.
  expr: >-
    max by (cluster_id) (max_over_time(federated_etl_cluster_push_state{ {{- $ns }}, state="gone"}[15m])) > 0
    or max by (cluster_id) (federated_etl_cluster_data_age_seconds{ {{- $ns -}} }) > 2 * 86400
  labels: { severity: warning }
  annotations:
    summary: Cluster {{ "{{ $labels.cluster_id }}" }} has not pushed for two days, or its newest data is older than that. See its push, or exclude it.
    runbook_url: {{ $runbook }}#a-cluster-is-silent
{{- end }}
{{- end -}}

{{/* Returns a duration of the settings, such as 30m, in whole seconds. */}}
{{- define "federated-etl.seconds" -}}
{{- $unit := dict "ms" 0.001 "s" 1.0 "m" 60.0 "h" 3600.0 "d" 86400.0 "w" 604800.0 -}}
{{- ceil (mulf (regexFind "^[0-9.]+" . | float64) (get $unit (regexFind "[a-z]+$" .))) | int64 -}}
{{- end -}}
