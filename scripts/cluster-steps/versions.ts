/**
 * Everything that `scripts/cluster` installs, by version: to upgrade, change one here, read its release notes, and run
 * `scripts/cluster up` on an empty cluster.
 */
export const versions = {
  /** Least minor version of Kubernetes that Knative runs on. */
  kubernetes: '1.34',
  knative: '1.23.0',
  kourier: '1.23.0',
  keda: '2.20.2',
  /** Kong's chart of both the gateway and the Ingress Controller, and the images of the two. */
  kongChart: '0.24.0',
  kong: '3.9.3',
  kongController: '3.5.13',
} as const

const github = 'https://github.com'

/** What is applied as it is released. */
export const manifests = {
  knativeTypes: `${github}/knative/serving/releases/download/knative-v${versions.knative}/serving-crds.yaml`,
  knative: `${github}/knative/serving/releases/download/knative-v${versions.knative}/serving-core.yaml`,
  kourier: `${github}/knative-extensions/net-kourier/releases/download/knative-v${versions.kourier}/kourier.yaml`,
  keda: `${github}/kedacore/keda/releases/download/v${versions.keda}/keda-${versions.keda}.yaml`,
} as const

export const kongCharts = 'https://charts.konghq.com'
