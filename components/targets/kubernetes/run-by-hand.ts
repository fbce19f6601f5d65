/**
 * The script of {@link runByHand}. The job's name is its own: the one before may still be there, or run. Further
 * arguments cannot be passed on: a CronJob's command is what it is.
 */
const script = `set -eu
namespace=$1 schedule=$2 context=$3
shift 3
if [ $# -gt 0 ]; then
  echo "$schedule takes no arguments on Kubernetes, where a run is what its CronJob says: leave out $*" >&2
  exit 2
fi
ask() { kubectl \${context:+"--context=$context"} --namespace "$namespace" "$@"; }
job=$schedule-$(od -An -N5 -tx1 /dev/urandom | tr -d ' \\n')
ask create job "$job" --from="cronjob/$schedule"
of_pod() { ask get pods --selector "job-name=$job" --output "jsonpath={.items[*].status.$1}"; }
give_up() {
  echo "$job $1; look with: kubectl --namespace $namespace describe job,pod --selector job-name=$job" >&2
  exit 1
}
# Of a pod that is not yet started there are no logs to follow, and kubectl does not wait.
looks=0
while phase=$(of_pod phase); [ -z "$phase" ] || [ "$phase" = Pending ]; do
  looks=$((looks + 1))
  [ "$looks" -lt 300 ] || give_up "did not start in ten minutes"
  sleep 2
done
ask logs --follow "job/$job"
# The program's last word comes before its end is known.
for look in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do
  code=$(of_pod 'containerStatuses[*].state.terminated.exitCode')
  [ -z "$code" ] || exit "\${code##* }"
  sleep 2
done
give_up "is not known to have ended"`;

/**
 * The command that runs a CronJob's command now, as a Job of its own: it prints what the run prints and ends with the
 * run's exit code.
 *
 * @param schedule the CronJob's name, of at most 52 characters
 * @param context the kubeconfig's context. Default: its current one
 */
export function runByHand(namespace: string, schedule: string, context = ""): string[] {
  return ["/bin/sh", "-c", script, "run-by-hand", namespace, schedule, context];
}
