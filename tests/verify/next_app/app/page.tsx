import { connection } from 'next/server'
import Counter from './counter'

export default async function Page() {
  await connection() // a nonce is made for every request, so the page is rendered for every request
  return (
    <main>
      <h1>A page to verify</h1>
      <Counter />
    </main>
  )
}
