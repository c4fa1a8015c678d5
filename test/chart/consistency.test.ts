import { findInconsistencies } from './consistency';
import { readManifests } from './helm';
import { validateObjects } from './validate';

const pod = (labels: string, more = ''): string => `
    metadata: { labels: ${labels} }
    spec:
      serviceAccountName: mine
      automountServiceAccountToken: false
      terminationGracePeriodSeconds: 60
      securityContext: { runAsNonRoot: true, seccompProfile: { type: RuntimeDefault } }
      containers:
        - name: main
          image: a:1
          ports: [{ name: http, containerPort: 8080 }]
          readinessProbe: { httpGet: { path: /ready, port: http } }
          livenessProbe: { tcpSocket: { port: 8080 } }
          env:
            - { name: A, valueFrom: { secretKeyRef: { name: keys, key: a } } }
            - { name: B, valueFrom: { secretKeyRef: { name: elsewhere, key: a, optional: true } } }
          envFrom: [{ configMapRef: { name: settings } }]
          resources: { requests: { cpu: 100m, memory: 1Gi } }
          securityContext:
            readOnlyRootFilesystem: true
            allowPrivilegeEscalation: false
            capabilities: { drop: [ALL] }
          volumeMounts: [{ name: data, mountPath: /data }]
${more}`;

/** Manifests of a release without inconsistencies. Most tests replace parts of them. */
const release = `
apiVersion: apps/v1
kind: Deployment
metadata: { name: page, namespace: costs }
spec:
  selector: { matchLabels: { app: page } }
  template: ${pod('{ app: page, extra: a }', '      volumes: [{ name: data, projected: { sources: [{ secret: { name: keys } }] } }]')}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: { name: store }
spec:
  serviceName: store
  selector: { matchExpressions: [{ key: app, operator: In, values: [store] }] }
  volumeClaimTemplates:
    - metadata: { name: data }
      spec: { accessModes: [ReadWriteOnce], resources: { requests: { storage: 1Gi } } }
  template: ${pod('{ app: store }')}
---
apiVersion: batch/v1
kind: CronJob
metadata: { name: tidy }
spec:
  schedule: '0 * * * *'
  jobTemplate:
    spec:
      template: ${pod('{ app: tidy }', '      volumes: [{ name: data, persistentVolumeClaim: { claimName: kept } }]\n      restartPolicy: Never').replaceAll('\n', '\n      ')}
---
{ apiVersion: v1, kind: Service, metadata: { name: page, labels: { app: page } }, spec: { selector: { app: page }, ports: [{ name: web, port: 80, targetPort: http }] } }
---
{ apiVersion: v1, kind: Service, metadata: { name: store }, spec: { clusterIP: None, selector: { app: store }, ports: [{ name: http, port: 8080 }] } }
---
{ apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: { name: page }, spec: { maxUnavailable: 1, selector: { matchLabels: { app: page } } } }
---
{ apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: { name: tidy }, spec: { podSelector: { matchLabels: { app: tidy } } } }
---
{ apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: { name: page }, spec: { rules: [{ http: { paths: [{ path: /, pathType: Prefix, backend: { service: { name: page, port: { name: web } } } }] } }] } }
---
{ apiVersion: monitoring.coreos.com/v1, kind: ServiceMonitor, metadata: { name: page }, spec: { selector: { matchLabels: { app: page } }, endpoints: [{ port: web }] } }
---
{ apiVersion: monitoring.coreos.com/v1, kind: PodMonitor, metadata: { name: tidy }, spec: { selector: { matchLabels: { app: tidy } }, podMetricsEndpoints: [{ port: http }] } }
---
{ apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: { name: page }, spec: { maxReplicas: 2, scaleTargetRef: { apiVersion: apps/v1, kind: Deployment, name: page } } }
---
{ apiVersion: v1, kind: ServiceAccount, metadata: { name: mine } }
---
{ apiVersion: v1, kind: ConfigMap, metadata: { name: settings } }
---
{ apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: { name: reader }, rules: [] }
---
{ apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: { name: reader }, roleRef: { apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader }, subjects: [{ kind: ServiceAccount, name: mine, namespace: costs }] }
`;

const existing = ['Secret/keys', 'PersistentVolumeClaim/kept'];
const check = (text: string, there = existing): string[] =>
  findInconsistencies(readManifests(text), { namespace: 'costs', existing: there });

test('a consistent release has no findings', () => {
  expect(validateObjects(readManifests(release))).toEqual({ problems: [], passedOver: [] });
  expect(check(release)).toEqual([]);
});

/**
 * Inconsistencies to detect. Each case replaces the first occurrence of `good` in the release with `bad`. `said`
 * contains the sentences that `findInconsistencies` must then return.
 */
const faults: readonly [what: string, good: string, bad: string, ...said: string[]][] = [
  [
    "a workload's selector",
    'matchLabels: { app: page }',
    'matchLabels: { app: pages }',
    'Deployment/page: spec.selector matches the labels of no pod of the release',
  ],
  [
    'a selector with an expression',
    'values: [store]',
    'values: [shop]',
    'StatefulSet/store: spec.selector matches the labels of no pod of the release',
  ],
  [
    "a workload that takes another's pods",
    'operator: In, values: [store]',
    'operator: Exists',
    'StatefulSet/store: spec.selector takes the pods of Deployment/page as well',
    'StatefulSet/store: spec.selector takes the pods of CronJob/tidy as well',
  ],
  [
    "a service's selector",
    'selector: { app: page }',
    'selector: { app: page, tier: a }',
    'Service/page: spec.selector matches the labels of no pod of the release',
  ],
  [
    "a budget's selector",
    'selector: { matchLabels: { app: page } } } }\n---\n{ apiVersion: networking',
    'selector: { matchLabels: { app: tidy } } } }\n---\n{ apiVersion: networking',
    'PodDisruptionBudget/page: spec.selector matches the labels of no pod of the release',
  ],
  [
    "a policy's selector",
    'podSelector: { matchLabels: { app: tidy }',
    'podSelector: { matchLabels: { app: tidier }',
    'NetworkPolicy/tidy: spec.podSelector matches the labels of no pod of the release',
  ],
  [
    "a monitor's selector",
    'labels: { app: page } }, spec: { selector',
    'labels: { app: web } }, spec: { selector',
    'ServiceMonitor/page: spec.selector matches the labels of no service of the release',
  ],
  [
    "a monitor's port",
    'endpoints: [{ port: web',
    'endpoints: [{ port: http',
    'ServiceMonitor/page: no service that it selects has the port http',
  ],
  [
    'a monitor of pods',
    'podMetricsEndpoints: [{ port: http',
    'podMetricsEndpoints: [{ port: web',
    'PodMonitor/tidy: no pod that it selects has the port web',
  ],
  [
    'a mount without a volume',
    '[{ name: data, mountPath',
    '[{ name: date, mountPath',
    'Deployment/page: spec.template.spec.containers[0].volumeMounts: there is no volume date',
    'Deployment/page: spec.template.spec.volumes: no container mounts data',
  ],
  [
    'a claim that is not mounted',
    '- metadata: { name: data }',
    '- metadata: { name: disk }',
    'StatefulSet/store: spec.template.spec.containers[0].volumeMounts: there is no volume data',
    'StatefulSet/store: spec.template.spec.volumes: no container mounts disk',
  ],
  [
    'a duplicate volume',
    'volumes: [{ name: data, projected',
    'volumes: [{ name: data, emptyDir: {} }, { name: data, projected',
    'Deployment/page: spec.template.spec.volumes: data is there twice',
  ],
  [
    'a config map',
    'configMapRef: { name: settings }',
    'configMapRef: { name: other }',
    'Deployment/page: spec.template.spec.containers[0].envFrom: ConfigMap/other is not made by the release, nor known to be there',
  ],
  [
    'a secret as a variable',
    'secretKeyRef: { name: keys',
    'secretKeyRef: { name: key',
    'Deployment/page: spec.template.spec.containers[0].env A: Secret/key is not made by the release, nor known to be there',
  ],
  [
    'a secret as files',
    'secret: { name: keys }',
    'secret: { name: key }',
    'Deployment/page: spec.template.spec.volumes[0]: Secret/key is not made by the release, nor known to be there',
  ],
  [
    'a claim',
    'claimName: kept',
    'claimName: lost',
    'CronJob/tidy: spec.jobTemplate.spec.template.spec.volumes[0]: PersistentVolumeClaim/lost is not made by the release, nor known to be there',
  ],
  [
    'a service account',
    'serviceAccountName: mine',
    'serviceAccountName: yours',
    'Deployment/page: spec.template.spec.serviceAccountName: ServiceAccount/yours is not made by the release, nor known to be there',
  ],
  [
    'a role',
    'kind: Role, name: reader',
    'kind: Role, name: writer',
    'RoleBinding/reader: roleRef: Role/writer is not made by the release, nor known to be there',
  ],
  [
    'the service of a set',
    'serviceName: store',
    'serviceName: shop',
    'StatefulSet/store: spec.serviceName: Service/shop is not made by the release, nor known to be there',
  ],
  [
    'the target of an autoscaler',
    'kind: Deployment, name: page }',
    'kind: Deployment, name: pages }',
    'HorizontalPodAutoscaler/page: spec.scaleTargetRef: Deployment/pages is not made by the release, nor known to be there',
  ],
  [
    'the service of an ingress',
    'service: { name: page',
    'service: { name: pages',
    'Ingress/page: spec.rules: Service/pages is not made by the release, nor known to be there',
  ],
  [
    "the port of an ingress's service",
    'port: { name: web }',
    'port: { number: 8080 }',
    'Ingress/page: spec.rules: Service/page has no port 8080',
  ],
  [
    'the port of a probe',
    'path: /ready, port: http',
    'path: /ready, port: https',
    'Deployment/page: spec.template.spec.containers[0].readinessProbe: the container has no port https',
  ],
  [
    'the port of a service',
    'targetPort: http',
    'targetPort: https',
    'Service/page: spec.ports[0]: no container behind it has the port https',
  ],
  [
    'a duplicate object',
    'kind: Service, metadata: { name: store }',
    'kind: Service, metadata: { name: page, labels: { app: store } }',
    'Service/page is there twice',
    'StatefulSet/store: spec.serviceName: Service/store is not made by the release, nor known to be there',
  ],
  [
    'another namespace',
    'namespace: costs',
    'namespace: default',
    "Deployment/page: metadata.namespace is default, not the release's costs",
  ],
];

describe('an inconsistency is reported', () => {
  test.each(faults)('%s', (_, good, bad, ...said) => {
    expect(release).toContain(good);
    expect(check(release.replace(good, bad))).toEqual(said);
  });

  test('an object that is neither rendered nor known to exist', () => {
    expect(check(release, ['Secret/keys'])).toEqual([
      'CronJob/tidy: spec.jobTemplate.spec.template.spec.volumes[0]: PersistentVolumeClaim/kept is not made by the release, nor known to be there',
    ]);
  });

  test('a namespace on a cluster-wide kind', () => {
    const text =
      '{ apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: { name: a, namespace: costs } }';
    expect(check(text)).toEqual(['ClusterRole/a: metadata.namespace: the kind belongs to none']);
  });
});

const at = 'Deployment/page: spec.template.spec';
const unsafe: readonly [good: string, bad: string, said: string][] = [
  ['runAsNonRoot: true, ', '', `${at}.containers[0].securityContext.runAsNonRoot must be true, is missing`],
  [
    'runAsNonRoot: true',
    'runAsNonRoot: true, runAsUser: 0',
    `${at}.containers[0].securityContext.runAsUser must not be 0`,
  ],
  [
    'type: RuntimeDefault',
    'type: Unconfined',
    `${at}.containers[0].securityContext.seccompProfile.type must be RuntimeDefault, is "Unconfined"`,
  ],
  [
    'readOnlyRootFilesystem: true',
    'readOnlyRootFilesystem: false',
    `${at}.containers[0].securityContext.readOnlyRootFilesystem must be true, is false`,
  ],
  [
    'allowPrivilegeEscalation: false',
    'privileged: false',
    `${at}.containers[0].securityContext.allowPrivilegeEscalation must be false, is missing`,
  ],
  [
    'allowPrivilegeEscalation: false',
    'allowPrivilegeEscalation: false, privileged: true',
    `${at}.containers[0].securityContext.privileged must not be true`,
  ],
  ['drop: [ALL]', 'drop: [NET_RAW]', `${at}.containers[0].securityContext.capabilities.drop must have ALL`],
  [
    'drop: [ALL]',
    'drop: [ALL], add: [CHOWN]',
    `${at}.containers[0].securityContext.capabilities.add must be empty`,
  ],
  ['cpu: 100m, ', '', `${at}.containers[0].resources.requests.cpu is missing`],
  [
    'resources: { requests: { cpu: 100m, memory: 1Gi } }',
    'resources: { requests: { cpu: 100m } }',
    `${at}.containers[0].resources.requests.memory is missing`,
  ],
  [
    'automountServiceAccountToken: false',
    'hostNetwork: false',
    `${at}.automountServiceAccountToken must be false, is missing`,
  ],
  [
    'automountServiceAccountToken: false',
    'automountServiceAccountToken: false\n      hostNetwork: true',
    `${at}.hostNetwork must not be true`,
  ],
  ['terminationGracePeriodSeconds: 60', 'hostPID: false', `${at}.terminationGracePeriodSeconds is missing`],
];

describe('a pod with more permissions than it needs', () => {
  test.each(unsafe)('%s → %s', (good, bad, said) => {
    // If `bad` consists of two fields, put the second field on its own line, with the indentation of the first.
    // YAML's block style requires this.
    const [indent = ''] = new RegExp(`^ *(?=${good.replace(/[[\]{}]/g, '\\$&')})`, 'm').exec(release) ?? [];
    expect(release).toContain(good);
    expect(check(release.replace(good, bad.replace(/^(allow.*), (priv.*)$/, `$1\n${indent}$2`)))).toEqual([
      said,
    ]);
  });

  test('every container is checked, init containers included', () => {
    const init = release.replace(
      '      containers:',
      '      initContainers: [{ name: first, image: a }]\n      containers:',
    );
    const said = check(init);
    expect(said.length).toBe(5);
    expect(said.every((text) => text.startsWith(`${at}.initContainers[0]`))).toBe(true);
  });
});
