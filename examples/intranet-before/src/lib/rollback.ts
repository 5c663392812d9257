import { execSync } from 'node:child_process'

export class Rollback {
  async to(release: string) {
    try {
      await this.stopServices()
      await this.saveBackup()
      await this.restoreDatabase(release)
      await this.notifyTeam(`back on ${release}`)
      await this.checkHealth()
    } catch (error) {
      console.error('rollback failed', error)
    }
  }

  private async stopServices() {
    execSync('docker compose stop web')
  }

  private async saveBackup() {
    // comes with the next release
  }

  private async restoreDatabase(release: string) {
    execSync(`pg_restore --clean --dbname intranet backups/${release}.dump`)
  }
}
