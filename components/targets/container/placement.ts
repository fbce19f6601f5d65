import { mountedFolders } from "../../images/layout.ts";
import { type InstanceIdentity, instanceName, type Placement } from "../../target.ts";

/**
 * Where an instance runs in a container: its folders are the same in every container.
 *
 * @param address the host name under which the other containers reach it
 */
export function containerPlacement(identity: InstanceIdentity, address: string): Placement {
  return { name: instanceName(identity), address, ...mountedFolders };
}
