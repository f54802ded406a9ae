/** What a broker needs so that clients log in over TLS, and what the clients need for it. */
import { pbkdf2Sync, randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { alterUserScramCredentialsV0, Connection } from '@platformatic/kafka';
import { makeCertificate } from './certificates.ts';

/** Over TLS: one listener that asks for a user and a password, and one that asks for a certificate. */
export interface LoginPorts {
  readonly plain: number;
  readonly login: number;
  readonly mutual: number;
}

/**
 * Writes `broker.pem` into the folder, and for clients `ca.pem`, `client.pem` and `client.key`.
 * @returns the broker's settings, with a user `bob` for PLAIN whose password is given
 */
export function loginProperties(folder: string, ports: LoginPorts, password: string): string[] {
  const ca = makeCertificate('test CA');
  const own = makeCertificate('localhost', ca);
  const client = makeCertificate('exporter', ca);
  writeFileSync(join(folder, 'ca.pem'), ca.cert);
  writeFileSync(join(folder, 'broker.pem'), `${own.key}${own.cert}${ca.cert}`);
  writeFileSync(join(folder, 'client.pem'), client.cert);
  writeFileSync(join(folder, 'client.key'), client.key);
  const scram = (mechanism: string) =>
    `listener.name.sasl.${mechanism}.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;`;
  const [plain, login, mutual] = [ports.plain, ports.login, ports.mutual].map((port) => `127.0.0.1:${port}`);
  return [
    `listeners=PLAINTEXT://${plain},CONTROLLER://127.0.0.1:${ports.plain + 1},SASL://${login},TLS://${mutual}`,
    `advertised.listeners=PLAINTEXT://${plain},SASL://${login},TLS://${mutual}`,
    'listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL:SASL_SSL,TLS:SSL',
    ...['inter.broker.listener.name=PLAINTEXT', 'ssl.keystore.type=PEM', `ssl.keystore.location=${folder}/broker.pem`],
    ...['listener.name.tls.ssl.client.auth=required', 'listener.name.tls.ssl.truststore.type=PEM'],
    `listener.name.tls.ssl.truststore.location=${folder}/ca.pem`,
    'sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512',
    `listener.name.sasl.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_bob="${password}";`,
    ...[scram('scram-sha-256'), scram('scram-sha-512')],
  ];
}

/** RFC 5802: the broker keeps salt, iterations and the salted password. @param port of its plain listener */
export async function makeScramUser(
  port: number,
  mechanism: 'scram-sha-256' | 'scram-sha-512',
  name: string,
  password: string,
): Promise<void> {
  const [number, hash, length] =
    mechanism === 'scram-sha-256' ? ([1, 'sha256', 32] as const) : ([2, 'sha512', 64] as const);
  const iterations = 4_096;
  const salt = randomBytes(16);
  const saltedPassword = pbkdf2Sync(password, salt, iterations, length, hash);
  const connection = new Connection('test');
  await connection.connect('127.0.0.1', port);
  await alterUserScramCredentialsV0.api.async(
    connection,
    [],
    [{ name, mechanism: number, iterations, salt, saltedPassword }],
  );
  await connection.close();
}
