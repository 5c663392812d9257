import { connection } from 'next/server'

export default async function NotFound() {
  await connection()
  return <h1>Not found</h1>
}
