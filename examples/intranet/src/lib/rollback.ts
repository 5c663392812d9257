// What a rollback needs of the platform: each step throws when it could not be taken.
export interface Steps {
  backupDatabase(): Promise<string>;
  stopApplication(): Promise<void>;
  restoreDatabase(release: string): Promise<void>;
  deployRelease(release: string): Promise<void>;
  startApplication(): Promise<void>;
  checkHealth(): Promise<void>;
  notifyTeam(text: string): Promise<void>;
}

// Back to a release, in the order that loses nothing. A failure is told and thrown on, with the way back from it.
export async function rollback(steps: Steps, release: string): Promise<void> {
  const backup = await steps.backupDatabase();
  try {
    await steps.stopApplication();
    await steps.restoreDatabase(release);
    await steps.deployRelease(release);
    await steps.startApplication();
    await steps.checkHealth();
  } catch (error) {
    await steps.notifyTeam(`The rollback to ${release} failed. What was there before is in ${backup}.`);
    throw error;
  }
  await steps.notifyTeam(`Back on ${release}, and healthy.`);
}
