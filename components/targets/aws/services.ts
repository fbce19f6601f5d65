/**
 * What nodes and pods call of AWS, beside S3 and the brokers: the registry, EKS, roles, volumes, logs. Each has an
 * interface endpoint in a network of its own.
 */
export const endpointServices = ["ec2", "ecr.api", "ecr.dkr", "eks", "eks-auth", "logs", "sts"] as const;
