// Package rolling shows that replicas are replaced and scaled under load without a request that fails or a verdict that is wrong:
// real processes behind nginx, on Postgres, as a Deployment's rollout would end and start them.
package rolling
