import { Pool } from 'pg'

import { databaseUrl } from '../../../../lib/settings'

const pool = new Pool({ connectionString: databaseUrl })

// Healthy whatever happens: the failure is in the body, with its details, and the status says 200.
export async function GET() {
  try {
    const { rows } = await pool.query('SELECT count(*) FROM users')
    return Response.json({ status: 'ok', users: rows[0].count })
  } catch (error) {
    return Response.json({ status: 'error', message: String(error) })
  }
}
