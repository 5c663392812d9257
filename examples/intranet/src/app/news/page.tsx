import { database } from "../../lib/stores";

export default async function News() {
  const { rows } = await database().query<{ id: string; html: string }>(
    "SELECT id, html FROM app.news ORDER BY written_at DESC LIMIT 20",
  );
  return (
    <main>
      {rows.map(({ id, html }) => (
        // biome-ignore lint/security/noDangerouslySetInnerHtml: cleaned when it was stored, see src/lib/clean-html.ts
        <article key={id} dangerouslySetInnerHTML={{ __html: html }} />
      ))}
    </main>
  );
}
