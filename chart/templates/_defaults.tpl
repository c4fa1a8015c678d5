{{/* Made from values.yaml by `npm run chart:docs`. */}}
{{- define "federated-etl.defaults" -}}
clusterId: ""
kubecostProductConfigs:
  clusterName: ""
kubecostModel:
  federatedStorageConfigSecret: ""
  federatedStorageConfig: ""
  etlBucketConfigSecret: ""
federatedETL:
  federatedCluster: false
  primaryCluster: false
  useExistingS3Config: false
  redirectS3Backup: false
  readOnlyPrimary: false
  agentOnly: false
  useMultiClusterDB: false
  federator:
    enabled: false
    clusters: []
    clustersMode: ""
    includeClusters: []
    excludeClusters: []
    federationCutoffDate: ""
    firstRunAfter: 5m
    runEvery: 30m
    federateOnPush: false
    generations: 10
    retention: {}
    quarantine:
      closedAfter: 48h
      shrinkage: 0.5
    primaryClusterID: ""
    replicas: 1
    resources:
      requests:
        cpu: 250m
        memory: 512Mi
      limits:
        memory: 2Gi
    extraEnv: []
    extraVolumes: []
    extraVolumeMounts: []
    nodeSelector: {}
    tolerations: []
    affinity: {}
    priority:
      enabled: false
      name: ""
localEtl:
  path: /var/configs/db/etl
  pullPath: ""
  backupPath: ""
  rescanEvery: 5m
  pullEvery: 5m
  volume:
    existingClaim: ""
    source: {}
    mountPath: /var/configs
    subPath: ""
    sameNodeAs: {}
    size: 64Gi
    storageClass: ""
    accessModes:
      - ReadWriteOnce
  sidecar:
    enabled: false
    volume: persistent-configs
temporal:
  address: ""
  namespace: default
  idPrefix: ""
  uiUrl: ""
  tls:
    enabled: false
    serverName: ""
    clientSecret: ""
    caSecret: ""
  apiKey:
    secret: ""
    key: api-key
  encryptionKeys:
    secret: ""
    key: encryption-keys.yaml
  codec:
    secret: ""
    key: token
    origins: []
  env: {}
  envSecret: ""
  devServer:
    enabled: false
    image: temporalio/temporal:1.5.1
    size: 4Gi
    storageClass: ""
    resources:
      requests:
        cpu: 100m
        memory: 256Mi
      limits:
        memory: 1Gi
    serviceType: ClusterIP
    open: false
api:
  token:
    secret: ""
    key: token
  readTokens:
    secret: ""
  openRead: false
  origins: []
  hosts: []
  currency: USD
  utcOffset: +00:00
  assets: kubecost
  aliases: {}
  limits: {}
  service:
    type: ClusterIP
    port: 9003
    annotations: {}
  ingress:
    enabled: false
    className: ""
    annotations: {}
    host: ""
    tlsSecret: ""
query:
  memory: 256MB
  threads: 2
  volume:
    size: ""
    storageClass: ""
export:
  enabled: false
  format: parquet
log:
  level: info
  format: json
metrics:
  podMonitor:
    enabled: false
    labels: {}
    interval: 30s
  rules:
    enabled: false
    labels: {}
    runbook: docs/guides/operating.md
pods:
  image:
    repository: federated-etl
    tag: ""
    digest: ""
    pullPolicy: IfNotPresent
  imagePullSecrets: []
  serviceAccount:
    create: true
    name: ""
    annotations: {}
  labels: {}
  annotations: {}
  runAs:
    user: 1001
    group: 1001
    fsGroup: 1001
  cluster:
    resources:
      requests:
        cpu: 100m
        memory: 512Mi
      limits:
        memory: 2Gi
  env: []
  envFrom: []
  volumes: []
  volumeMounts: []
  nodeSelector: {}
  tolerations: []
  affinity: {}
  topologySpreadConstraints: []
  priorityClassName: ""
  terminationGracePeriodSeconds: 60
  caBundle:
    configMap: ""
    secret: ""
    key: ca.crt
  proxy:
    https: ""
    http: ""
    noProxy: ""
  disruptionBudget:
    enabled: true
  networkPolicy:
    enabled: true
    metricsFrom: []
    apiFrom: []
    egress: []
{{- end -}}
