import { type KubernetesObject, readManifests } from './helm';
import { validateObjects } from './validate';

const podSpec = `
      serviceAccountName: mine
      automountServiceAccountToken: false
      terminationGracePeriodSeconds: 60
      nodeSelector: { kubernetes.io/os: linux }
      securityContext: { runAsNonRoot: true, fsGroup: 1000, seccompProfile: { type: RuntimeDefault } }
      topologySpreadConstraints:
        - { maxSkew: 1, topologyKey: kubernetes.io/hostname, whenUnsatisfiable: ScheduleAnyway, matchLabelKeys: [a] }
      initContainers:
        - { name: sidecar, image: 'a:1', restartPolicy: Always }
      containers:
        - name: main
          image: example.com/a@sha256:00
          args: [run]
          env:
            - { name: FROM_SECRET, valueFrom: { secretKeyRef: { name: s, key: k, optional: true } } }
            - { name: FROM_POD, valueFrom: { fieldRef: { fieldPath: metadata.name } } }
          ports: [{ name: http, containerPort: 8080, protocol: TCP }]
          readinessProbe: { httpGet: { path: /ready, port: http }, periodSeconds: 5 }
          livenessProbe: { tcpSocket: { port: 8080 } }
          resources:
            requests: { cpu: 100m, memory: 1.5Gi, ephemeral-storage: 1e9 }
            limits: { cpu: 2, memory: '1000000' }
          securityContext:
            readOnlyRootFilesystem: true
            allowPrivilegeEscalation: false
            capabilities: { drop: [ALL] }
          volumeMounts: [{ name: data, mountPath: /data, readOnly: true }]
      volumes:
        - { name: data, emptyDir: { sizeLimit: 1Gi } }
        - name: all
          projected: { sources: [{ configMap: { name: c, items: [{ key: a, path: a, mode: 0440 }] } }] }
`;
const metadata =
  'metadata: { name: mine, namespace: costs, labels: { app.kubernetes.io/name: a, tier: "" } }';
const template = `
  selector: { matchLabels: { app.kubernetes.io/name: a } }
  template:
    metadata: { labels: { app.kubernetes.io/name: a }, annotations: { checksum/config: any text at all } }
    spec: ${podSpec}`;

const good: Readonly<Record<string, string>> = {
  Deployment: `apiVersion: apps/v1\n${metadata}\nspec:\n  replicas: 2\n  strategy: { type: RollingUpdate, rollingUpdate: { maxSurge: 25%, maxUnavailable: 0 } }${template}`,
  StatefulSet: `apiVersion: apps/v1\n${metadata}\nspec:\n  serviceName: mine
  volumeClaimTemplates:
    - metadata: { name: data }
      spec: { accessModes: [ReadWriteOnce], resources: { requests: { storage: 10Gi } } }${template}`,
  Service: `apiVersion: v1\n${metadata}
spec:
  type: ClusterIP
  clusterIP: None
  selector: { app.kubernetes.io/name: a }
  ports: [{ name: http, port: 80, targetPort: http }, { name: other, port: 81, targetPort: 8081 }]`,
  Ingress: `apiVersion: networking.k8s.io/v1\n${metadata}
spec:
  ingressClassName: nginx
  tls: [{ secretName: tls, hosts: [costs.example.com] }]
  rules:
    - host: costs.example.com
      http: { paths: [{ path: /, pathType: Prefix, backend: { service: { name: mine, port: { name: http } } } }] }`,
  NetworkPolicy: `apiVersion: networking.k8s.io/v1\n${metadata}
spec:
  podSelector: { matchLabels: { app.kubernetes.io/name: a } }
  policyTypes: [Ingress, Egress]
  ingress: [{ from: [{ namespaceSelector: {} }], ports: [{ port: http, protocol: TCP }, { port: 8080 }] }]
  egress: [{ to: [{ ipBlock: { cidr: 0.0.0.0/0, except: [10.0.0.0/8] } }] }]`,
  PodDisruptionBudget: `apiVersion: policy/v1\n${metadata}
spec: { maxUnavailable: 50%, unhealthyPodEvictionPolicy: AlwaysAllow, selector: { matchLabels: { a: b } } }`,
  ServiceAccount: `apiVersion: v1\n${metadata}\nautomountServiceAccountToken: false\nimagePullSecrets: [{ name: pull }]`,
  ConfigMap: `apiVersion: v1\n${metadata}\ndata: { federated-etl.yaml: 'a: 1' }\nbinaryData: { b: AAE= }`,
  Secret: `apiVersion: v1\n${metadata}\ntype: Opaque\ndata: { a: cGFzcw== }\nstringData: { b: plain }`,
  PersistentVolumeClaim: `apiVersion: v1\n${metadata}
spec: { storageClassName: fast, accessModes: [ReadWriteOnce], resources: { requests: { storage: 1Ti } } }`,
  Pod: `apiVersion: v1
metadata: { name: mine-test, annotations: { helm.sh/hook: test, helm.sh/hook-delete-policy: hook-succeeded } }
spec:${podSpec}      restartPolicy: Never`,
  Job: `apiVersion: batch/v1\n${metadata}\nspec:\n  backoffLimit: 2\n  ttlSecondsAfterFinished: 60\n  template:\n    spec:${podSpec}      restartPolicy: OnFailure`,
  CronJob: `apiVersion: batch/v1\n${metadata}
spec:
  schedule: '*/30 * * * *'
  concurrencyPolicy: Forbid
  jobTemplate: { spec: { template: { spec: { restartPolicy: Never, containers: [{ name: a, image: a }] } } } }`,
  Role: `apiVersion: rbac.authorization.k8s.io/v1\nmetadata: { name: 'system:mine' }
rules: [{ apiGroups: [''], resources: [pods], verbs: [get, list] }]`,
  RoleBinding: `apiVersion: rbac.authorization.k8s.io/v1\n${metadata}
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: Role, name: mine }
subjects: [{ kind: ServiceAccount, name: mine, namespace: costs }]`,
  HorizontalPodAutoscaler: `apiVersion: autoscaling/v2\n${metadata}
spec:
  scaleTargetRef: { apiVersion: apps/v1, kind: Deployment, name: mine }
  minReplicas: 1
  maxReplicas: 5
  metrics: [{ type: Resource, resource: { name: cpu, target: { type: Utilization, averageUtilization: 80 } } }]`,
  ServiceMonitor: `apiVersion: monitoring.coreos.com/v1\n${metadata}
spec:
  selector: { matchLabels: { a: b } }
  namespaceSelector: { matchNames: [costs] }
  endpoints: [{ port: http, path: /metrics, interval: 30s, relabelings: [{ action: drop, sourceLabels: [a] }] }]`,
};

const read = (kind: string, text = good[kind] ?? ''): KubernetesObject[] =>
  readManifests(`kind: ${kind}\n${text}`);

describe('an object that Kubernetes accepts', () => {
  test.each(Object.keys(good))('%s', (kind) => {
    expect(validateObjects(read(kind))).toEqual({ problems: [], passedOver: [] });
  });
});

/**
 * Errors to detect. Each case takes a valid object of the given kind, replaces the text `good` in it with `bad`, and
 * expects the error `said`.
 */
const faults: readonly [what: string, kind: string, good: string, bad: string, said: string][] = [
  [
    'a typo',
    'Deployment',
    'containers:',
    'contianers:',
    'spec.template.spec.contianers is no field of PodSpec; did you mean containers?',
  ],
  [
    'the wrong case',
    'Deployment',
    'readOnlyRootFilesystem',
    'readOnlyRootFileSystem',
    'spec.template.spec.containers[0].securityContext.readOnlyRootFileSystem is no field of SecurityContext; did you mean readOnlyRootFilesystem?',
  ],
  [
    'a typo at the top level',
    'ConfigMap',
    '\ndata: {',
    '\ndate: {',
    'date is no field of ConfigMap; did you mean data?',
  ],
  [
    'a field of another type',
    'Service',
    'clusterIP: None',
    'replicas: 2',
    'spec.replicas is no field of ServiceSpec',
  ],
  [
    'a typo in a claim template',
    'StatefulSet',
    'accessModes',
    'accessMode',
    'spec.volumeClaimTemplates[0].spec.accessMode is no field',
  ],
  [
    'a typo in an init container',
    'Pod',
    'restartPolicy: Always',
    'restartPolice: Always',
    'spec.initContainers[0].restartPolice is no field of Container',
  ],
  [
    'a typo in a CRD',
    'ServiceMonitor',
    'relabelings',
    'relabellings',
    'spec.endpoints[0].relabellings is no field of Endpoint; did you mean relabelings?',
  ],
  [
    'a string for a number',
    'Deployment',
    'replicas: 2',
    "replicas: '2'",
    'spec.replicas must be of type integer, is "2"',
  ],
  [
    'a fraction',
    'Deployment',
    'replicas: 2',
    'replicas: 2.5',
    'spec.replicas must be of type integer, is 2.5',
  ],
  [
    'a number for a string',
    'ConfigMap',
    "'a: 1'",
    '1',
    'data["federated-etl.yaml"] must be of type string, is 1',
  ],
  [
    'a number as a variable',
    'Deployment',
    '{ name: FROM_POD, ',
    '{ name: FROM_POD, value: 1, ',
    'env[1].value must be of type string, is 1',
  ],
  ['a string for a list', 'Role', '[pods]', 'pods', 'rules[0].resources must be of type array, is "pods"'],
  [
    'null for a map',
    'ServiceAccount',
    '[{ name: pull }]',
    '',
    'imagePullSecrets must be of type array, is null',
  ],
  ['a value outside an enum', 'Ingress', 'Prefix', 'Begin', 'paths[0].pathType must be one of'],
  [
    'a missing required field',
    'Deployment',
    'selector: { matchLabels: { app.kubernetes.io/name: a } }',
    '',
    'spec.selector is required',
  ],
  [
    'a container without an image',
    'Deployment',
    'image: example.com/a@sha256:00',
    '',
    'spec.template.spec.containers[0].image is required',
  ],
  ['no name', 'Service', 'name: mine,', '', 'metadata.name is required'],
  ['no spec', 'PodDisruptionBudget', 'spec:', 'status:', 'spec is required'],
  [
    'an old apiVersion',
    'PodDisruptionBudget',
    'policy/v1',
    'policy/v1beta1',
    'apiVersion policy/v1beta1 is not stable',
  ],
  [
    'an unknown apiVersion',
    'Deployment',
    'apps/v1',
    'apps/v2',
    'Kubernetes has no kind Deployment in apps/v2',
  ],
  [
    'the apiVersion of another kind',
    'Ingress',
    'networking.k8s.io/v1',
    'v1',
    'Kubernetes has no kind Ingress in v1',
  ],
  [
    'an invalid quantity',
    'Deployment',
    'cpu: 100m',
    'cpu: 100 m',
    'containers[0].resources.requests.cpu must be a quantity, such as 500m or 2Gi, is "100 m"',
  ],
  [
    'a quantity with an invalid unit',
    'PersistentVolumeClaim',
    '1Ti',
    '1TiB',
    'spec.resources.requests.storage must be a quantity',
  ],
  ['an invalid name', 'Deployment', 'name: mine,', 'name: My_App,', 'metadata.name must be a DNS label'],
  [
    'an overlong name',
    'Service',
    'name: mine,',
    `name: ${'a'.repeat(64)},`,
    'metadata.name must be a DNS label',
  ],
  [
    'a service name that starts with a digit',
    'Service',
    'name: mine,',
    'name: 1st,',
    'metadata.name must be a DNS label that begins with a letter',
  ],
  [
    'the name of a container',
    'Pod',
    'name: main',
    'name: main.one',
    'spec.containers[0].name must be a DNS label',
  ],
  [
    'the name of a port',
    'Pod',
    'name: http, containerPort',
    'name: a-name-of-a-port, containerPort',
    'ports[0].name must be the name of a port',
  ],
  [
    'the value of a label',
    'Secret',
    'tier: ""',
    `tier: ${'a'.repeat(64)}`,
    'metadata.labels.tier must be the value of a label',
  ],
  [
    'the value of a label in a selector',
    'Service',
    'name: a }',
    'name: a b }',
    'spec.selector["app.kubernetes.io/name"] must be the value of a label',
  ],
  [
    'a label with a number',
    'Service',
    'name: a }',
    'name: 1 }',
    'spec.selector["app.kubernetes.io/name"] must be of type string, is 1',
  ],
  [
    'the key of a label',
    'Secret',
    'tier:',
    'a/b/c:',
    'metadata.labels["a/b/c"]: the key must be a qualified name',
  ],
  ['a secret that is not encoded', 'Secret', 'cGFzcw==', 'pass!', 'data.a must be base64'],
  [
    'the key of a file',
    'ConfigMap',
    'federated-etl.yaml:',
    'a/b:',
    'data["a/b"]: the key must be a key that can be the name of a file',
  ],
  ['an invalid port', 'Service', 'port: 80,', 'port: 80000,', 'spec.ports[0].port must be <= 65535'],
];

describe('an invalid object is refused', () => {
  test.each(faults)('%s (%s)', (_, kind, from, to, said) => {
    const text = good[kind] ?? '';
    expect(text).toContain(from);
    const { problems } = validateObjects(read(kind, text.replace(from, to)));
    expect(problems.filter((problem) => problem.includes(said))).toHaveLength(1);
    expect(problems[0]).toMatch(new RegExp(`^${kind}/`));
  });

  test('part of a kind, and an unknown kind', () => {
    expect(validateObjects(read('DeploymentSpec', 'apiVersion: apps/v1')).problems).toEqual([
      'DeploymentSpec/?: Kubernetes has no kind DeploymentSpec in apps/v1',
    ]);
    expect(validateObjects(readManifests('a: 1')).problems).toEqual(['?/?: has no apiVersion']);
  });

  test('every fault of every object is reported', () => {
    const text = `${good['Service'] ?? ''}\ntypo: 1`.replace('port: 80,', 'port: x,');
    const { problems } = validateObjects([...read('Service', text), ...read('Job', 'apiVersion: batch/v1')]);
    expect(problems).toEqual([
      'Service/mine: typo is no field of Service',
      'Service/mine: spec.ports[0].port must be of type integer, is "x"',
      'Job/?: metadata is required',
      'Job/?: spec is required',
    ]);
  });
});

test('a custom resource without a known schema is skipped, and named', () => {
  expect(validateObjects(read('Certificate', `apiVersion: cert-manager.io/v1\n${metadata}`))).toEqual({
    problems: [],
    passedOver: ['cert-manager.io/v1 Certificate/mine'],
  });
});
